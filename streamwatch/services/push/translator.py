"""Translates entries of the feed into the events that are pushed to clients."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from streamwatch.domain.models import EventType, StreamEvent, StreamSnapshot
from streamwatch.storage.base import FeedEntry, FeedRecord, Tail


class PushEventType(StrEnum):
    ONLINE = EventType.ONLINE
    OFFLINE = EventType.OFFLINE
    UPDATE = EventType.UPDATE
    CATEGORY = "stream.category"
    TITLE = "stream.title"
    VIEWERS = "stream.viewers"
    GAP = "gap"
    """Some earlier events are no longer stored: the client has to read the current state again."""


@dataclass(frozen=True, slots=True)
class PushEvent:
    """One event for a client.

    `subject` is the event of a stream that started or ended, a snapshot for the other types, and
    None for a gap. `previous` is the category name or the title before a change, None where that
    is not known.
    """

    type: PushEventType
    login: str
    subject: StreamEvent | StreamSnapshot | None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class TranslatedEntry:
    """The events of one feed entry; empty where the entry changes nothing for clients."""

    id: str
    events: tuple[PushEvent, ...]


_GAP = PushEvent(PushEventType.GAP, "", None)


@dataclass(slots=True)
class FeedTranslator:
    """Compares each snapshot with the last one of the same user, which it remembers.

    Of a stream that it does not know, it pushes category and title only where they are new: the
    stream has just started (`started` has its user id), or every unknown stream is new.
    """

    known: dict[str, StreamSnapshot] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    unknown_is_new: bool = False
    """Whether `known` has every older stream. After a gap it is set too: changes may be missing."""

    def translate(self, tail: Tail) -> list[TranslatedEntry]:
        """Translate entries, which must follow those of the previous call."""
        starts_with_gap = bool(tail.entries) and not tail.complete
        self.unknown_is_new = self.unknown_is_new or starts_with_gap
        translated = [TranslatedEntry(entry.id, self._events(entry)) for entry in tail.entries]
        if starts_with_gap:
            translated[0] = TranslatedEntry(translated[0].id, (_GAP, *translated[0].events))
        return translated

    def learn(self, entries: Iterable[FeedEntry]) -> None:
        """Remember the snapshots of entries that the client has received already."""
        for entry in entries:
            self._events(entry)

    def _events(self, entry: FeedEntry) -> tuple[PushEvent, ...]:
        """The events of `entry`. An entry that cannot be read has none: the feed's other readers
        report it."""
        record = entry.record or FeedRecord("")
        events = [
            PushEvent(PushEventType(event.event_type), event.broadcaster_login, event)
            for event in record.events
        ]
        self.started.update(
            event.broadcaster_id for event in record.events if event.event_type is EventType.ONLINE
        )
        if record.snapshot:
            events += self._changes(record.snapshot)
        return tuple(events)

    def _changes(self, snapshot: StreamSnapshot) -> list[PushEvent]:
        user_id, login = snapshot.broadcaster_id, snapshot.broadcaster_login
        before = self.known.get(user_id)
        is_new = user_id in self.started or (before is None and self.unknown_is_new)
        if before and before.stream_id != snapshot.stream_id:
            before, is_new = None, True
        self.known[user_id] = snapshot
        self.started.discard(user_id)
        events = []
        if before.category_id != snapshot.category_id if before else is_new:
            previous = before.category_name if before else None
            events.append(PushEvent(PushEventType.CATEGORY, login, snapshot, previous))
        if before.title != snapshot.title if before else is_new:
            previous = before.title if before else None
            events.append(PushEvent(PushEventType.TITLE, login, snapshot, previous))
        return [*events, PushEvent(PushEventType.VIEWERS, login, snapshot)]
