"""Reads the history of events, newest first. `ingestion.recorder` writes it."""

from collections.abc import Callable, Collection
from functools import partial

from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.domain.positions import Position
from streamwatch.storage.base import Storage

_MAX_EVENTS_PER_READ = 1000
"""A search reads no more at once: EVENTS_KEPT may be far larger than what fits in one answer."""


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
        return _newest_of(user_ids, self._storage.events, limit, after)

    def of_type(
        self,
        event_type: EventType,
        limit: int,
        after: Position | None = None,
        user_ids: Collection[str] | None = None,
    ) -> list[StreamEvent]:
        """The newest events of one type."""
        read = partial(self._storage.events_of_type, event_type)
        return _newest_of(user_ids, read, limit, after)

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
_Read = Callable[[int, Position | None], list[StreamEvent]]


def _newest_of(
    user_ids: Collection[str] | None, read: _Read, limit: int, after: Position | None
) -> list[StreamEvent]:
    """The newest `limit` events of these streamers, or of all if `user_ids` is None."""
    if user_ids is None:
        return read(limit, after)
    if not user_ids:  # nobody has the tag: do not search the whole history
        return []
    return _newest(read, limit, after, lambda event: event.broadcaster_id in user_ids)


def _type_filter(event_type: EventType | None) -> _Filter | None:
    return None if event_type is None else lambda event: event.event_type is event_type


def _newest(
    read: _Read, limit: int, after: Position | None, is_wanted: _Filter | None
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
        count = min(count * 4, _MAX_EVENTS_PER_READ)
    return found[:limit]
