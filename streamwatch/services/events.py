"""The history of events, newest first."""

from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.storage.base import Storage


class EventHistory:
    """Reads the retained events, at most `limit` of them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(self, limit: int) -> list[StreamEvent]:
        """The newest events of all streamers."""
        return self._storage.events(limit)

    def of_type(self, event_type: EventType, limit: int) -> list[StreamEvent]:
        """The newest events of one type."""
        return self._storage.events_of_type(event_type, limit)

    def of_streamer(self, login: str, limit: int) -> list[StreamEvent]:
        """The newest events of one streamer, by login in any case, monitored or not. Complete,
        however many events other streamers had since."""
        return self._storage.events_of_streamer(login.lower(), limit)
