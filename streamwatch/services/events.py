"""The history of events, newest first."""

from collections.abc import Callable, Collection
from functools import partial

from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.storage.base import Storage


class EventHistory:
    """Reads the retained events, at most `limit` of them; with `user_ids` only those of these
    streamers."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(self, limit: int, user_ids: Collection[str] | None = None) -> list[StreamEvent]:
        """The newest events of all streamers."""
        return _newest(self._storage.events, limit, user_ids)

    def of_type(
        self, event_type: EventType, limit: int, user_ids: Collection[str] | None = None
    ) -> list[StreamEvent]:
        """The newest events of one type."""
        return _newest(partial(self._storage.events_of_type, event_type), limit, user_ids)

    def of_streamer(self, login: str, limit: int) -> list[StreamEvent]:
        """The newest events of one streamer, by login in any case, monitored or not. Complete,
        however many events other streamers had since."""
        return self._storage.events_of_streamer(login.lower(), limit)


def _newest(
    read: Callable[[int], list[StreamEvent]], limit: int, user_ids: Collection[str] | None
) -> list[StreamEvent]:
    """The newest `limit` events that `read` finds, of `user_ids`. Reads more until it has enough
    or everything."""
    if user_ids is None:
        return read(limit)
    count = limit
    while True:
        events = read(count)
        found = [event for event in events if event.broadcaster_id in user_ids]
        if len(found) >= limit or len(events) < count:
            return found[:limit]
        count *= 4
