"""Reads the history of events, newest first. `ingestion.recorder` writes it."""

from collections.abc import Callable, Collection
from functools import partial

from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.domain.positions import Position
from streamwatch.storage.base import Storage


class EventHistory:
    """Reads the retained events, at most `limit` of them. With `after`, only events that come later
    in the order are returned; with `user_ids`, only events of these streamers."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(
        self,
        limit: int,
        after: Position | None = None,
        user_ids: Collection[str] | None = None,
    ) -> list[StreamEvent]:
        """The newest events of all streamers."""
        return _newest(self._storage.events, limit, after, _streamer_filter(user_ids))

    def of_type(
        self,
        event_type: EventType,
        limit: int,
        after: Position | None = None,
        user_ids: Collection[str] | None = None,
    ) -> list[StreamEvent]:
        """The newest events of one type."""
        read = partial(self._storage.events_of_type, event_type)
        return _newest(read, limit, after, _streamer_filter(user_ids))

    def of_streamer(
        self,
        login: str,
        limit: int,
        after: Position | None = None,
        event_type: EventType | None = None,
    ) -> list[StreamEvent]:
        """The newest events of one streamer, by login in any case, monitored or not; with
        `event_type` only those of this type. Complete, however many events other streamers had
        since."""
        read = partial(self._storage.events_of_streamer, login.lower())
        return _newest(read, limit, after, _type_filter(event_type))


_Filter = Callable[[StreamEvent], bool]


def _streamer_filter(user_ids: Collection[str] | None) -> _Filter | None:
    """A filter for the events of these streamers; None for all."""
    return None if user_ids is None else lambda event: event.broadcaster_id in user_ids


def _type_filter(event_type: EventType | None) -> _Filter | None:
    return None if event_type is None else lambda event: event.event_type is event_type


def _newest(
    read: Callable[[int, Position | None], list[StreamEvent]],
    limit: int,
    after: Position | None,
    is_wanted: _Filter | None,
) -> list[StreamEvent]:
    """The newest `limit` events that `read` finds and that are wanted. Reads more until it has
    enough or everything."""
    if is_wanted is None:
        return read(limit, after)
    found: list[StreamEvent] = []
    count = limit
    while len(found) < limit:
        events = read(count, after)
        found += filter(is_wanted, events)
        if len(events) < count:
            break
        after = events[-1].position
        count *= 4
    return found[:limit]
