"""A bounded history of events, sorted by their positions."""

from bisect import bisect_left
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.positions import Position


class BoundedHistory:
    """Retains the newest `limit` of the added events. They may be added in any order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: list[StreamEvent] = []

    def add(self, event: StreamEvent, time: datetime) -> None:
        """Insert `event` at a time, and delete the event that it replaces. An event that is in the
        history is not inserted again."""
        if event.replaces is not None:
            event = replace(event, replaced_at=time)
            self._remove(event.position)
        index = self._index(event.position)
        if self._events[index : index + 1] != [event]:
            self._events.insert(index, event)
        del self._events[: -self._limit]

    def newest(self, limit: int, after: Position | None = None) -> list[StreamEvent]:
        """The newest events or, with `after`, the newest of those before that position."""
        end = len(self._events) if after is None else self._index(after)
        return self._events[max(end - limit, 0) : end][::-1]

    def _remove(self, position: Position) -> None:
        index = self._index(position)
        if index < len(self._events) and self._events[index].position == position:
            del self._events[index]

    def _index(self, position: Position) -> int:
        return bisect_left(self._events, position, key=attrgetter("position"))
