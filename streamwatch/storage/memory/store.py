"""The storage in the memory of one process."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import Self

from streamwatch.domain.models import (
    Change,
    EventType,
    Streamer,
    StreamEvent,
    StreamStatus,
)
from streamwatch.domain.positions import Position
from streamwatch.settings import Settings
from streamwatch.storage.base import (
    REMOVED_SECONDS,
    SEEN_SECONDS,
    STREAMER_TOPICS,
    Committed,
    FeedRecord,
    Lease,
    Lookup,
    Storage,
    changed_topics,
)
from streamwatch.storage.memory.backfills import MemoryBackfillQueue
from streamwatch.storage.memory.coordination import MemoryCoordination
from streamwatch.storage.memory.expiring import Expiring
from streamwatch.storage.memory.feed import MemoryFeed
from streamwatch.storage.memory.history import BoundedHistory
from streamwatch.storage.memory.notifications import MemoryNotificationStore
from streamwatch.storage.sorting import newest_first


class MemoryStorage(Storage):
    """Keeps all data in dictionaries until the process ends: for the demo, development and tests.

    One lock makes every method atomic. `clock` returns seconds and is used for expiry.
    """

    shared = False
    feed: MemoryFeed
    coordination: MemoryCoordination
    notifications: MemoryNotificationStore
    backfills: MemoryBackfillQueue

    def __init__(
        self, events_kept: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = RLock()
        self._streamers: dict[str, Streamer] = {}
        self._logins: dict[str, str] = {}
        self._statuses: dict[str, StreamStatus] = {}
        self._live: set[str] = set()
        self._seen: Expiring[None] = Expiring(clock)
        self._removed: Expiring[int] = Expiring(clock)
        """The versions of removed records, by user id."""
        self._hidden: Expiring[StreamStatus | None] = Expiring(clock)
        """The hidden statuses of removed streamers, by user id."""
        self._lookups: Expiring[Lookup] = Expiring(clock)
        self._history = BoundedHistory(events_kept)
        self._by_type: dict[EventType, BoundedHistory] = defaultdict(
            lambda: BoundedHistory(events_kept)
        )
        self._by_streamer: dict[str, BoundedHistory] = defaultdict(
            lambda: BoundedHistory(events_kept)
        )
        self.feed = MemoryFeed(self._lock, clock)
        self.coordination = MemoryCoordination(self._lock, clock)
        self.notifications = MemoryNotificationStore(self._lock)
        self.backfills = MemoryBackfillQueue(self._lock)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(events_kept=settings.events_kept)

    def ping(self) -> None:
        pass

    # Streamers

    def add_streamers(self, streamers: Sequence[Streamer]) -> set[str]:
        added = set()
        with self._lock:
            for streamer in streamers:
                if streamer.user_id not in self._streamers:
                    version = (self._removed.get(streamer.user_id) or 0) + 1
                    self._streamers[streamer.user_id] = replace(streamer, version=version)
                    self._logins[streamer.login] = streamer.user_id
                    self._removed.drop(streamer.user_id)
                    added.add(streamer.user_id)
        self.coordination.notify(STREAMER_TOPICS)
        return added

    def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
        results = [self._commit_streamer(streamer) for streamer in streamers]
        self.coordination.notify(STREAMER_TOPICS)
        return results

    def _commit_streamer(self, streamer: Streamer) -> Committed:
        with self._lock:
            known = self._streamers.get(streamer.user_id)
            if known is None or known.version != streamer.version - 1:
                return Committed.CONFLICT
            self._streamers[streamer.user_id] = streamer
            if known.login != streamer.login:
                self._free_login(known.login, streamer.user_id)
                self._logins[streamer.login] = streamer.user_id
            return Committed.STORED

    def remove_streamer(self, user_id: str) -> Streamer | None:
        with self._lock:
            removed = self._streamers.pop(user_id, None)
            if removed is not None:
                # A streamer who was added again still has the hidden status until the next commit.
                status = self._statuses.pop(user_id, None) or self._hidden.get(user_id)
                self._live.discard(user_id)
                self._hidden.put(user_id, status, REMOVED_SECONDS)
                self._removed.put(user_id, removed.version, REMOVED_SECONDS)
        self.coordination.notify(STREAMER_TOPICS)
        return removed

    def streamers(self) -> list[Streamer]:
        with self._lock:
            return newest_first(self._streamers.values())

    def streamers_by_id(self, user_ids: Collection[str]) -> dict[str, Streamer]:
        with self._lock:
            return {key: self._streamers[key] for key in user_ids if key in self._streamers}

    def find_streamers(self, logins: Collection[str]) -> dict[str, Streamer]:
        with self._lock:
            found = {login: self._streamers.get(self._logins.get(login, "")) for login in logins}
        return {login: streamer for login, streamer in found.items() if streamer}

    # Status

    def status(self, user_id: str) -> StreamStatus | None:
        with self._lock:
            return self._statuses.get(user_id)

    def find_status(self, login: str) -> StreamStatus | None:
        with self._lock:
            return self._statuses.get(self._logins.get(login, ""))

    def statuses(self, user_ids: Collection[str]) -> dict[str, StreamStatus]:
        with self._lock:
            known = {user_id: self._status_to_change(user_id) for user_id in user_ids}
        return {user_id: status for user_id, status in known.items() if status}

    def live(self) -> list[StreamStatus]:
        with self._lock:
            return sorted(
                (self._statuses[user_id] for user_id in self._live), key=_popularity, reverse=True
            )

    def awaiting_details(self) -> dict[str, datetime]:
        with self._lock:
            live = [self._statuses[user_id] for user_id in self._live]
        return {
            status.user_id: status.last_updated
            for status in live
            if status.stream and not status.stream.has_details
        }

    def commit(self, changes: Sequence[Change], lease: Lease | None = None) -> list[Committed]:
        results = [self._commit(change, lease) for change in changes]
        self.coordination.notify(topic for change in changes for topic in changed_topics(change))
        return results

    def _commit(self, change: Change, lease: Lease | None) -> Committed:
        with self._lock:
            refusal = self._refusal(change, lease)
            if refusal is not None:
                return refusal
            if change.message_id is not None:
                self._seen.put(change.message_id, None, SEEN_SECONDS)
            status = replace(change.status, is_removed=False, is_returning=False)
            removed = self._is_hidden(status.user_id)
            if removed:
                self._hidden.replace(status.user_id, status)
            else:
                self._hidden.drop(status.user_id)
                self._set_status(status)
            self._move_login(change, claim=change.is_new_login and not removed)
            self._append(change)
            return Committed.STORED

    def _refusal(self, change: Change, lease: Lease | None) -> Committed | None:
        """The reason why the change cannot be stored; None if it can."""
        if change.message_id is not None and change.message_id in self._seen:
            return Committed.DUPLICATE
        if lease is not None and self.coordination.lease(lease.name) != lease:
            return Committed.FENCED
        known = self._status_to_change(change.status.user_id)
        if change.base_version != (known.version if known else 0):
            return Committed.CONFLICT
        return None

    def _status_to_change(self, user_id: str) -> StreamStatus | None:
        """The status of the user, or else the hidden status of a removed streamer."""
        status = self._statuses.get(user_id)
        if status is not None:
            return status
        hidden = self._hidden.get(user_id)
        if hidden is None:
            return None
        is_monitored = user_id in self._streamers
        return replace(hidden, is_removed=not is_monitored, is_returning=is_monitored)

    def _is_hidden(self, user_id: str) -> bool:
        """Whether the streamer was removed, and has not been added again."""
        return (
            user_id in self._hidden
            and user_id not in self._statuses
            and user_id not in self._streamers
        )

    def _set_status(self, status: StreamStatus) -> None:
        self._statuses[status.user_id] = status
        if status.is_live:
            self._live.add(status.user_id)
        else:
            self._live.discard(status.user_id)

    def _move_login(self, change: Change, *, claim: bool) -> None:
        user_id, login = change.status.user_id, change.status.login
        if change.previous_login is not None:
            self._free_login(change.previous_login, user_id)
        if claim:
            self._logins[login] = user_id
        else:
            self._logins.setdefault(login, user_id)

    def _free_login(self, login: str, user_id: str) -> None:
        if self._logins.get(login) == user_id:
            del self._logins[login]

    def _append(self, change: Change) -> None:
        """Add the change's events to the histories, and its record to the feed."""
        user_id, positions = change.status.user_id, change.positions
        for event in change.events:
            time = positions[event.id]
            self._history.add(event, time)
            self._by_type[event.event_type].add(event, time)
            self._by_streamer[user_id].add(event, time)
        record = FeedRecord.of(change)
        if record is not None:
            self.feed.append(record)

    # History

    def events(self, limit: int, after: Position | None = None) -> list[StreamEvent]:
        with self._lock:
            return self._history.newest(limit, after)

    def events_of_type(
        self, event_type: EventType, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        with self._lock:
            return self._by_type[event_type].newest(limit, after)

    def events_of_streamer(
        self, login: str, limit: int, after: Position | None = None
    ) -> list[StreamEvent]:
        with self._lock:
            history = self._by_streamer.get(self._logins.get(login, ""))
            return history.newest(limit, after) if history else []

    # Lookups

    def lookup(self, login: str) -> Lookup | None:
        with self._lock:
            return self._lookups.get(login)

    def save_lookup(self, lookup: Lookup, seconds: float) -> None:
        with self._lock:
            self._lookups.put(lookup.login, lookup, seconds)


def _popularity(status: StreamStatus) -> tuple[int, str]:
    return (status.stream.viewer_count or 0 if status.stream else 0), status.user_id
