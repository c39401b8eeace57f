"""What the entries of the feed tell somebody who watches as it happens."""

from dataclasses import dataclass, field
from enum import StrEnum

from streamwatch.domain.documents import Document, event_document, snapshot_document
from streamwatch.domain.models import EventType, StreamSnapshot
from streamwatch.storage.base import FeedEntry, FeedRecord, Tail


class PushEventType(StrEnum):
    ONLINE = EventType.ONLINE
    OFFLINE = EventType.OFFLINE
    CATEGORY = "stream.category"
    TITLE = "stream.title"
    VIEWERS = "stream.viewers"
    GAP = "gap"
    """Not of a stream: some of what happened before is no longer kept. Whoever wants to know how
    things stand has to ask anew."""


@dataclass(frozen=True, slots=True)
class PushEvent:
    """`data` is the API's Event for a stream that goes on or off, and its Snapshot else; with a
    category or title, `previous` is what it was before, None where that is not known."""

    type: PushEventType
    login: str
    data: Document


@dataclass(frozen=True, slots=True)
class TranslatedEntry:
    """What the feed's entry `id` tells: nothing, where all of it is known already."""

    id: str
    events: tuple[PushEvent, ...]


_GAP = PushEvent(
    PushEventType.GAP, "", {"detail": "Some of what happened before is no longer kept."}
)


@dataclass(slots=True)
class FeedTranslator:
    """Tells what is new, by what it knows of each user's stream: the snapshot that was last taken.

    Of what it does not know it cannot say whether it changed; then it tells how it is now.
    """

    known: dict[str, StreamSnapshot] = field(default_factory=dict)

    def tell(self, tail: Tail) -> list[TranslatedEntry]:
        """What these entries tell, which must follow those that were told before."""
        told = [TranslatedEntry(entry.id, self._events(entry)) for entry in tail.entries]
        if told and not tail.complete:
            told[0] = TranslatedEntry(told[0].id, (_GAP, *told[0].events))
        return told

    def _events(self, entry: FeedEntry) -> tuple[PushEvent, ...]:
        """Nothing for an entry that cannot be read: the readers of the feed set it aside."""
        record = entry.record or FeedRecord("")
        events = [
            PushEvent(
                PushEventType(event.event_type), event.broadcaster_login, event_document(event)
            )
            for event in record.events
        ]
        if record.snapshot:
            events += self._news(record.snapshot)
        return tuple(events)

    def _news(self, snapshot: StreamSnapshot) -> list[PushEvent]:
        before = self.known.get(snapshot.broadcaster_id)
        if before and before.stream_id != snapshot.stream_id:
            before = None
        self.known[snapshot.broadcaster_id] = snapshot
        login, data = snapshot.broadcaster_login, snapshot_document(snapshot)
        events = []
        if before is None or before.category_id != snapshot.category_id:
            previous = before.category_name if before else None
            events.append(PushEvent(PushEventType.CATEGORY, login, data | {"previous": previous}))
        if before is None or before.title != snapshot.title:
            previous = before.title if before else None
            events.append(PushEvent(PushEventType.TITLE, login, data | {"previous": previous}))
        return [*events, PushEvent(PushEventType.VIEWERS, login, data)]
