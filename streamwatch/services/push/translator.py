"""Translates entries of the feed into the events that are pushed to clients."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from streamwatch.domain.models import EventType, StreamEvent, StreamSnapshot
from streamwatch.domain.updates import HELIX_LAG
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


def gap_at(entry_id: str) -> TranslatedEntry:
    """The report that entries up to this one may be missing."""
    return TranslatedEntry(entry_id, (_GAP,))


@dataclass(slots=True)
class FeedTranslator:
    """Compares each snapshot with the last one of the same user, which it remembers.

    An update of a live channel is pushed under its own name, and as a change of category and title
    too, as versions before 0.2 named it.

    For a stream that it does not know, it pushes category and title only if they are new: the
    stream has just started (`started` has its user id), or every unknown stream is new.
    """

    known: dict[str, StreamSnapshot] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    updated_at: dict[str, datetime] = field(default_factory=dict)
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
        events = []
        for event in record.events:
            events.append(
                PushEvent(PushEventType(event.event_type), event.broadcaster_login, event)
            )
            if event.event_type is EventType.ONLINE:
                self.started.add(event.broadcaster_id)
            elif event.event_type is EventType.OFFLINE:
                self._record_end(event)
            else:
                events += self._changes_of_update(event)
        if record.snapshot:
            events += self._changes(record.snapshot)
        return tuple(events)

    def _record_end(self, event: StreamEvent) -> None:
        known = self.known.get(event.broadcaster_id)
        if known and event.stream_id in {None, known.stream_id}:
            self.ended.add(event.broadcaster_id)

    def _changes_of_update(self, event: StreamEvent) -> list[PushEvent]:
        """The changes of category and title by an update, if it is the newest of a live channel."""
        user_id, at = event.broadcaster_id, event.timestamp
        known = self.known.get(user_id)
        if known is None or user_id in self.ended | self.started:
            return []
        newest = max(known.captured_at - HELIX_LAG, self.updated_at.get(user_id, at))
        if at < newest:
            return []
        self.updated_at[user_id] = at
        data = event.data
        changed = replace(
            known,
            captured_at=max(at, known.captured_at),
            title=data.get("title"),
            category_id=data.get("category_id"),
            category_name=data.get("category_name"),
        )
        return [push for push in self._changes(changed) if push.type is not PushEventType.VIEWERS]

    def _changes(self, snapshot: StreamSnapshot) -> list[PushEvent]:
        user_id, login = snapshot.broadcaster_id, snapshot.broadcaster_login
        before = self.known.get(user_id)
        is_new = user_id in self.started or (before is None and self.unknown_is_new)
        if before and before.stream_id != snapshot.stream_id:
            before, is_new = None, True
        self.known[user_id] = snapshot
        self.started.discard(user_id)
        self.ended.discard(user_id)
        events = []
        if (before.category_id != snapshot.category_id) if before else is_new:
            previous = before.category_name if before else None
            events.append(PushEvent(PushEventType.CATEGORY, login, snapshot, previous))
        if (before.title != snapshot.title) if before else is_new:
            previous = before.title if before else None
            events.append(PushEvent(PushEventType.TITLE, login, snapshot, previous))
        return [*events, PushEvent(PushEventType.VIEWERS, login, snapshot)]
