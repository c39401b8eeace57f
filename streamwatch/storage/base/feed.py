"""The port of the feed."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from streamwatch.storage.base.types import DeadLetter, FeedEntry, ReaderState, Tail


class Feed(ABC):
    """The log of commits, in order, for any number of named readers that are independent.

    A reader gets every entry since its registration at least once: an entry that was handed out
    and not acknowledged, because the consumer died, is handed out again. Only entries that all
    readers have acknowledged may be trimmed.
    """

    @abstractmethod
    def register(self, reader: str) -> None:
        """Register `reader`, starting with the oldest retained entry. Does nothing if the reader is
        registered."""

    @abstractmethod
    def read(
        self, reader: str, consumer: str, count: int, *, reclaim_seconds: float
    ) -> list[FeedEntry]:
        """The next entries for `reader`, oldest first, at most `count`; [] if there are none. A
        reader that is not registered, or whose registration was lost, is registered first.

        Entries that were handed out more than `reclaim_seconds` ago and not acknowledged come
        first, because their consumer is assumed dead. `consumer` is the name of the calling
        process; no other process has the same.
        """

    @abstractmethod
    def acknowledge(self, reader: str, ids: Sequence[str]) -> None:
        """Mark entries as processed by `reader`; they are not handed out again."""

    @abstractmethod
    def add_dead_letter(self, reader: str, entry: FeedEntry, error: str, at: datetime) -> None:
        """Acknowledge an entry that cannot be processed, and store it as a dead letter for an
        operator. Does nothing if the entry is acknowledged already."""

    @abstractmethod
    def dead_letters(self, reader: str) -> list[DeadLetter]:
        """The dead letters of `reader`, oldest first."""

    @abstractmethod
    def drop_dead_letters(self, reader: str, ids: Sequence[str]) -> None:
        """Delete dead letters that have been processed or given up."""

    @abstractmethod
    def trim(self, keep: int = 0) -> int:
        """Drop the entries that all readers have acknowledged, except the newest `keep` entries.
        Returns how many were dropped: none if there are no readers."""

    @abstractmethod
    def last_id(self) -> str | None:
        """The id of the newest entry, even if it was trimmed; None before the first entry."""

    @abstractmethod
    def tail(self, after: str | None, count: int) -> Tail:
        """The entries after the id `after`, oldest first, at most `count`. Reading the tail hands
        out nothing and does not delay trimming.

        With None, and with an id that this feed did not assign, it starts with the oldest retained
        entry.
        """

    @abstractmethod
    def length(self) -> int:
        """The number of retained entries."""

    @abstractmethod
    def readers(self) -> list[ReaderState]:
        """All registered readers, sorted by name."""
