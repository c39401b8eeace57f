"""Whether Twitch answers, as of the last call of any process."""

from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from threading import Lock
from time import monotonic

from streamwatch.storage.base import Coordination, StorageError

REPUBLISH_SECONDS = 15.0
"""How often an unchanged state is published: meanwhile, another process may have published the
failure of its last call."""

_METRICS_NAME = "twitch"
_SECONDS = 24 * 3600.0
_STATE = "state"
_TOKEN_PATH = "/token"  # noqa: S105  a path
_REFUSALS_OF_TOKENS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class TwitchState(StrEnum):
    """How Twitch responded to the last call."""

    OK = "ok"
    REFUSED = "refused"
    """The credentials are invalid."""
    UNREACHABLE = "unreachable"
    NOT_CONFIGURED = "not configured"
    """There are no credentials."""


_PUBLISHED = (TwitchState.OK, TwitchState.REFUSED, TwitchState.UNREACHABLE)
"""The states that are published, by number."""


class TwitchMonitor:
    """Observes the calls of one process, and publishes the state when it changes and every
    REPUBLISH_SECONDS. Threads may share it."""

    def __init__(self, coordination: Coordination, clock: Callable[[], float] = monotonic) -> None:
        self._coordination = coordination
        self._clock = clock
        self._published: TwitchState | None = None
        self._published_at = 0.0
        self._lock = Lock()

    def observe(self, path: str, status: int) -> None:
        """Record the response to a call; `status` 0 means that none arrived."""
        state, now = _state_after(path, status), self._clock()
        with self._lock:
            if state is self._published and now - self._published_at < REPUBLISH_SECONDS:
                return
            self._published, self._published_at = state, now
        try:
            self._coordination.publish_metrics(
                _METRICS_NAME, {_STATE: _PUBLISHED.index(state)}, _SECONDS
            )
        except StorageError:
            with self._lock:
                self._published = None  # published with the next call


def twitch_state(coordination: Coordination, *, is_configured: bool) -> TwitchState:
    """The state as of the last call; OK before the first."""
    if not is_configured:
        return TwitchState.NOT_CONFIGURED
    return _PUBLISHED[int(coordination.published_metrics(_METRICS_NAME).get(_STATE, 0))]


def _state_after(path: str, status: int) -> TwitchState:
    if status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TwitchState.UNREACHABLE
    is_refused = status == HTTPStatus.UNAUTHORIZED or (
        path == _TOKEN_PATH and status in _REFUSALS_OF_TOKENS
    )
    return TwitchState.REFUSED if is_refused else TwitchState.OK
