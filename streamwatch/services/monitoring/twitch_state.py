"""Whether Twitch answers, as of the last call of any process."""

from enum import StrEnum
from http import HTTPStatus
from threading import Lock

from streamwatch.storage.base import Coordination, StorageError

_TOPIC = "twitch"
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
    """Observes the calls of one process and publishes the state when it changes. Threads may share
    it."""

    def __init__(self, coordination: Coordination) -> None:
        self._coordination = coordination
        self._published: TwitchState | None = None
        self._lock = Lock()

    def observe(self, path: str, status: int) -> None:
        """Record the response to a call; `status` 0 means that none arrived."""
        state = _state_after(path, status)
        with self._lock:
            if state is self._published:
                return
            self._published = state
        try:
            self._coordination.publish_metrics(_TOPIC, {_STATE: _PUBLISHED.index(state)}, _SECONDS)
        except StorageError:
            with self._lock:
                self._published = None  # published with the next call


def twitch_state(coordination: Coordination, *, is_configured: bool) -> TwitchState:
    """The state as of the last call; OK before the first."""
    if not is_configured:
        return TwitchState.NOT_CONFIGURED
    return _PUBLISHED[int(coordination.published_metrics(_TOPIC).get(_STATE, 0))]


def _state_after(path: str, status: int) -> TwitchState:
    if status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TwitchState.UNREACHABLE
    is_refused = status == HTTPStatus.UNAUTHORIZED or (
        path == _TOKEN_PATH and status in _REFUSALS_OF_TOKENS
    )
    return TwitchState.REFUSED if is_refused else TwitchState.OK
