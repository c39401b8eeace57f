"""A bounded history of events, sorted by the events' own times."""

from bisect import bisect_left
from datetime import datetime
from typing import NamedTuple

from streamwatch.domain.models import StreamEvent


class _Positioned(NamedTuple):
    position: datetime
    id: str
    event: StreamEvent


class EventHistory:
    """Retains the newest `limit` of the added events. They may be added in any order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: list[_Positioned] = []

    def add(self, event: StreamEvent, position: datetime) -> None:
        """Insert `event` at the time `position`, and delete the event that it replaces. An event
        that is in the history is not inserted again."""
        if event.replaces is not None:
            self._remove(event.replaces, position)
        added = _Positioned(position, event.id, event)
        index = bisect_left(self._events, added[:2], key=_order)
        if self._events[index : index + 1] != [added]:
            self._events.insert(index, added)
        del self._events[: -self._limit]

    def newest(self, limit: int) -> list[StreamEvent]:
        return [item.event for item in self._events[: -limit - 1 : -1]]

    def _remove(self, event_id: str, position: datetime) -> None:
        index = bisect_left(self._events, (position, event_id), key=_order)
        if index < len(self._events) and self._events[index].id == event_id:
            del self._events[index]


def _order(item: _Positioned) -> tuple[datetime, str]:
    return item.position, item.id
