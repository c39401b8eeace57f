"""Events in the order of their own times."""

from bisect import bisect_left
from datetime import datetime

from streamwatch.domain.models import StreamEvent


class EventHistory:
    """The newest `kept` events of those that were added, in whatever order."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._events: list[StreamEvent] = []

    def add(self, event: StreamEvent) -> None:
        """Put `event` in its place; one that is there already is not doubled."""
        place = bisect_left(self._events, _order(event), key=_order)
        if self._events[place : place + 1] != [event]:
            self._events.insert(place, event)
        del self._events[: -self._kept]

    def newest(self, limit: int) -> list[StreamEvent]:
        return self._events[: -limit - 1 : -1]


def _order(event: StreamEvent) -> tuple[datetime, str]:
    return event.timestamp, event.id
