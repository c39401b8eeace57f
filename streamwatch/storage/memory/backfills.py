"""The queue of backfills in dictionaries."""

from collections.abc import Collection, Mapping
from datetime import datetime
from threading import RLock

from streamwatch.storage.backfills import Backfill, BackfillQueue


class MemoryBackfillQueue(BackfillQueue):
    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._due: dict[str, datetime] = {}
        self._backfills: dict[str, Backfill] = {}

    def plan(self, entries: Mapping[str, datetime]) -> None:
        with self._lock:
            self._due.update(entries)

    def claim(self, now: datetime, until: datetime) -> str | None:
        with self._lock:
            due = ((at, entry) for entry, at in self._due.items() if at <= now)
            entry = min(due, default=(now, None))[1]
            if entry is not None:
                self._due[entry] = until
            return entry

    def finish(self, entry: str, until: datetime, user_id: str, backfill: Backfill) -> None:
        with self._lock:
            if self._due.get(entry) == until:
                del self._due[entry]
            self._backfills[user_id] = backfill

    def save(self, backfills: Mapping[str, Backfill]) -> None:
        with self._lock:
            self._backfills.update(backfills)

    def find(self, user_ids: Collection[str]) -> dict[str, Backfill]:
        with self._lock:
            return {key: self._backfills[key] for key in user_ids if key in self._backfills}
