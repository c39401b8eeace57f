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

    def next(self, now: datetime) -> str | None:
        with self._lock:
            due = ((at, entry) for entry, at in self._due.items() if at <= now)
            return min(due, default=(now, None))[1]

    def finish(self, entry: str, user_id: str, backfill: Backfill) -> None:
        with self._lock:
            self._due.pop(entry, None)
            self._backfills[user_id] = backfill

    def save(self, backfills: Mapping[str, Backfill]) -> None:
        with self._lock:
            self._backfills.update(backfills)

    def find(self, user_ids: Collection[str]) -> dict[str, Backfill]:
        with self._lock:
            return {key: self._backfills[key] for key in user_ids if key in self._backfills}
