"""The feed as a list in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from streamwatch.storage.base import DeadLetter, Feed, FeedEntry, FeedRecord, ReaderState, Tail


@dataclass(slots=True)
class _HandedOut:
    """When an entry was last handed out, in seconds of the feed's clock, and how often."""

    at: float
    tries: int


@dataclass(slots=True)
class _Reader:
    """The progress of a reader: `last` is the number of the newest entry that was handed out,
    `pending` has the entries that were handed out and not acknowledged."""

    last: int = 0
    pending: dict[int, _HandedOut] = field(default_factory=dict)
    dead_letters: dict[int, DeadLetter] = field(default_factory=dict)

    @property
    def oldest_needed(self) -> int:
        return min(self.pending, default=self.last + 1)


class MemoryFeed(Feed):
    """Entries are numbered from 1 without gaps; `_first` is the oldest retained entry's number."""

    def __init__(self, lock: RLock, clock: Callable[[], float]) -> None:
        self._lock = lock
        self._clock = clock
        self._records: list[FeedRecord] = []
        self._first = 1
        self._readers: dict[str, _Reader] = {}

    def append(self, record: FeedRecord) -> None:
        with self._lock:
            self._records.append(record)

    def register(self, reader: str) -> None:
        with self._lock:
            self._readers.setdefault(reader, _Reader())

    def read(
        self,
        reader: str,
        consumer: str,  # noqa: ARG002  not needed: entries are reclaimed by age alone
        count: int,
        *,
        reclaim_seconds: float,
    ) -> list[FeedEntry]:
        with self._lock:
            state, now = self._readers.setdefault(reader, _Reader()), self._clock()
            abandoned = [
                number
                for number, handed_out in sorted(state.pending.items())
                if now - handed_out.at >= reclaim_seconds
            ][:count]
            start = max(state.last + 1, self._first)
            end = min(start + count - len(abandoned), self._end)
            state.last = max(state.last, end - 1)
            return [self._hand_out(state, number) for number in (*abandoned, *range(start, end))]

    def acknowledge(self, reader: str, ids: Sequence[str]) -> None:
        with self._lock:
            for entry_id in ids:
                self._reader(reader).pending.pop(int(entry_id), None)

    def add_dead_letter(self, reader: str, entry: FeedEntry, error: str, at: datetime) -> None:
        with self._lock:
            state, number = self._reader(reader), int(entry.id)
            if state.pending.pop(number, None):
                record = self._records[number - self._first]
                state.dead_letters[number] = DeadLetter(entry.id, reader, error, at, record)

    def dead_letters(self, reader: str) -> list[DeadLetter]:
        with self._lock:
            return [entry for _, entry in sorted(self._reader(reader).dead_letters.items())]

    def drop_dead_letters(self, reader: str, ids: Sequence[str]) -> None:
        with self._lock:
            for entry_id in ids:
                self._reader(reader).dead_letters.pop(int(entry_id), None)

    def trim(self, keep: int = 0) -> int:
        with self._lock:
            needed = (state.oldest_needed for state in self._readers.values())
            end = min(min(needed, default=0), self._end - keep)
            dropped = max(end - self._first, 0)
            del self._records[:dropped]
            self._first += dropped
            return dropped

    def last_id(self) -> str | None:
        with self._lock:
            return str(self._end - 1) if self._end > 1 else None

    def tail(self, after: str | None, count: int) -> Tail:
        with self._lock:
            last = int(after) if after and after.isdecimal() and after.isascii() else 0
            known = 0 < last < self._end
            start = max(last + 1, self._first) if known else self._first
            end = min(start + count, self._end)
            return Tail(
                [FeedEntry(str(n), self._records[n - self._first]) for n in range(start, end)],
                complete=after is None or (known and last >= min(self._first, self._end - 1)),
            )

    def length(self) -> int:
        with self._lock:
            return len(self._records)

    def readers(self) -> list[ReaderState]:
        with self._lock:
            return [
                ReaderState(
                    name=name,
                    lag=self._end - max(state.last + 1, self._first),
                    pending=len(state.pending),
                    set_aside=len(state.dead_letters),
                )
                for name, state in sorted(self._readers.items())
            ]

    @property
    def _end(self) -> int:
        """The number of the next entry."""
        return self._first + len(self._records)

    def _reader(self, name: str) -> _Reader:
        """The reader with this name; an empty one if it is not registered."""
        return self._readers.get(name) or _Reader()

    def _hand_out(self, state: _Reader, number: int) -> FeedEntry:
        before = state.pending.get(number)
        tries = before.tries + 1 if before else 1
        state.pending[number] = _HandedOut(self._clock(), tries)
        return FeedEntry(str(number), self._records[number - self._first], tries)
