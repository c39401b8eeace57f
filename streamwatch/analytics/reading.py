"""Reads stored values. A damaged one is left out and logged, so that it spoils no other."""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from streamwatch.analytics.base import AnalyticsError, History
from streamwatch.analytics.state import StreamerState
from streamwatch.domain.session_events import identities

log = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")

MAX_REPORTS = 1000
"""How many damaged values a process logs, each once."""

DAMAGE = (msgspec.MsgspecError, ValueError, TypeError, KeyError, OverflowError)
"""What decoders raise for a value that is not of the stored form."""

_LAST = datetime.max.replace(tzinfo=UTC)


class ValueReader:
    """Decodes the stored values of a database, for one process. Threads may share it."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._reported: set[str] = set()

    def read(self, what: str, value: S, decode: Callable[[S], T]) -> T | None:
        """The decoded `value`; None if it is damaged. `what` names it in the log."""
        try:
            return decode(value)
        except DAMAGE as error:
            self.report(what, error)
            return None

    def each(
        self,
        kind: str,
        values: Iterable[tuple[str | bytes, S | None]],
        decode: Callable[[S], T],
    ) -> Iterator[T]:
        """The decoded values, each given with its name, without those that are None or damaged."""
        for name, value in values:
            if value is not None:
                text = name.decode(errors="replace") if isinstance(name, bytes) else name
                item = self.read(f"{kind} {text}", value, decode)
                if item is not None:
                    yield item

    def report(self, what: str, error: Exception) -> None:
        """Log that the value `what` is damaged and left out."""
        if what in self._reported or len(self._reported) >= MAX_REPORTS:
            return
        self._reported.add(what)
        log.warning(
            "A value in %s is damaged and left out: %s (%s). `streamwatch recalculate --all`"
            " computes sessions and statistics again.",
            self._database,
            what,
            type(error).__name__,
        )


def state_from_history(user_id: str, history: History) -> StreamerState:
    """A state in place of a damaged one. It covers nothing, so that the streamer is projected from
    the history."""
    identity = identities(history.events.values()).get(user_id)
    if identity is None:
        raise AnalyticsError(f"The state and all events of user {user_id} are damaged.")
    return StreamerState(identity, updates_since=_LAST)
