"""Reads the history of events, newest first. `ingestion.recorder` writes it."""

from collections.abc import Callable, Collection
from functools import partial

from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.domain.positions import Position
from streamwatch.storage.base import Storage


class EventHistory:
    """Reads the retained events, at most `limit` of them; with `after`, those that come later in
    the order, and with `user_ids` only those of these streamers."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(
        self,
        limit: int,
        after: Position | None = None,
        user_ids: Collection[str] | None = None,
    ) -> list[StreamEvent]:
        """The newest events of all streamers."""
        return _newest(self._storage.events, limit, after, user_ids)

    def of_type(
        self,
        event_type: EventType,
        limit: int,
        after: Position | None = None,
        user_ids: Collection[str] | None = None,
    ) -> list[StreamEvent]:
        """The newest events of one type."""
        read = partial(self._storage.events_of_type, event_type)
        return _newest(read, limit, after, user_ids)

    def of_streamer(
        self, login: str, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        """The newest events of one streamer, by login in any case, monitored or not. Complete,
        however many events other streamers had since."""
        return self._storage.events_of_streamer(login.lower(), limit, after)


def _newest(
    read: Callable[[int, Position | None], list[StreamEvent]],
    limit: int,
    after: Position | None,
    user_ids: Collection[str] | None,
) -> list[StreamEvent]:
    """The newest `limit` events that `read` finds, of `user_ids`. Reads more until it has enough
    or everything."""
    if user_ids is None:
        return read(limit, after)
    found: list[StreamEvent] = []
    count = limit
    while len(found) < limit:
        events = read(count, after)
        found += [event for event in events if event.broadcaster_id in user_ids]
        if len(events) < count:
            break
        after = events[-1].position
        count *= 4
    return found[:limit]
