"""What happened, newest first."""

from streamwatch.domain.documents import JsonList
from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.storage.base import Storage


class EventHistory:
    """The kept events; `limit` is how many at most."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(self, limit: int) -> list[StreamEvent]:
        return self._storage.events(limit)

    def of_type(self, event_type: EventType, limit: int) -> list[StreamEvent]:
        return self._storage.events_of_type(event_type, limit)

    def of_streamer(self, login: str, limit: int) -> list[StreamEvent]:
        """Of one streamer, by login in any case, monitored or not; complete however many events
        others had since."""
        return self._storage.events_of_streamer(login.lower(), limit)

    # The same as the API shows it

    def newest_json(self, limit: int) -> JsonList:
        return self._storage.events_json(limit)

    def of_type_json(self, event_type: EventType, limit: int) -> JsonList:
        return self._storage.events_of_type_json(event_type, limit)

    def of_streamer_json(self, login: str, limit: int) -> JsonList:
        return self._storage.events_of_streamer_json(login.lower(), limit)
