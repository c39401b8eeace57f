"""Reads the feed in batches, so that no entry is lost and a bad one delays no other."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from streamwatch.analytics.base import AnalyticsError, AnalyticsUnavailable
from streamwatch.domain.session_events import InvalidObservation
from streamwatch.storage.base import (
    MAX_TRIES,
    Feed,
    FeedEntry,
    FeedRecord,
    StorageError,
    UnreadableRecord,
)

log = logging.getLogger(__name__)

RECLAIM_SECONDS = 15.0
"""When a batch that was not acknowledged is read again: its worker is dead by then, or a database
did not answer."""

Item = TypeVar("Item")
"""What a record is converted to before it is processed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReader(Generic[Item]):
    """Reads the feed as the reader `name`. Several may run at once, in any processes, each with a
    `consumer` of its own: an entry may then be processed more than once.

    `batch` is how many entries are processed at once, `convert` what is done with each before, and
    `process` what is done with all of them.
    """

    feed: Feed
    name: str
    consumer: str
    batch: int
    convert: Callable[[FeedRecord], Item]
    process: Callable[[Sequence[Item]], None]
    clock: Callable[[], datetime]

    def register(self) -> None:
        """Register the reader, so that the feed is not trimmed before its entries are read."""
        self.feed.register(self.name)

    def run_once(self) -> int:
        """Process the next batch. Returns the number of its entries.

        An entry that cannot be processed becomes a dead letter; after an unexpected error it is
        read again up to MAX_TRIES times before. Raises StorageError and AnalyticsUnavailable: then
        nothing was acknowledged and all will be read again.
        """
        entries = self.feed.read(
            self.name, self.consumer, self.batch, reclaim_seconds=RECLAIM_SECONDS
        )
        converted = list(self._converted(entries))
        if converted:
            self._process(converted)
        return len(entries)

    def _converted(self, entries: Sequence[FeedEntry]) -> Iterator[tuple[FeedEntry, Item]]:
        for entry in entries:
            if entry.record is None:
                self._add_dead_letter(entry, entry.error or "The entry cannot be read.")
                continue
            try:
                yield entry, self.convert(entry.record)
            except Exception as error:  # noqa: BLE001  even a defect must not stop the others
                self._fail(entry, error)

    def _process(self, converted: Sequence[tuple[FeedEntry, Item]]) -> None:
        """Process entries together or, if that fails, one by one."""
        try:
            self.process([item for _, item in converted])
        except Exception as error:  # even a defect must not stop the others
            if _is_outage(error):
                raise
            if len(converted) == 1:
                self._fail(converted[0][0], error)
                return
            for entry_with_item in converted:
                self._process([entry_with_item])
            return
        self.feed.acknowledge(self.name, [entry.id for entry, _ in converted])

    def _fail(self, entry: FeedEntry, error: Exception) -> None:
        if not _is_expected(error):
            log.error(
                "Entry %s of the feed failed for the reader %s", entry.id, self.name, exc_info=error
            )
            if entry.tries < MAX_TRIES:
                return  # not acknowledged, and so read again
        self._add_dead_letter(entry, reason(error))

    def _add_dead_letter(self, entry: FeedEntry, error: str) -> None:
        log.warning("Entry %s of the feed is a dead letter of %s: %s", entry.id, self.name, error)
        self.feed.add_dead_letter(self.name, entry, error, self.clock())


def _is_outage(error: Exception) -> bool:
    """Whether a database is the cause, so that all entries fail."""
    return isinstance(error, AnalyticsUnavailable) or (
        isinstance(error, StorageError) and not isinstance(error, UnreadableRecord)
    )


def reason(error: Exception) -> str:
    """Why an entry cannot be processed."""
    return str(error) if _is_expected(error) else f"An unexpected error: {type(error).__name__}"


def _is_expected(error: Exception) -> bool:
    """Whether the entry is the cause, so that it fails again. Any other error is a defect of
    StreamWatch, or is over at the next try."""
    return isinstance(error, AnalyticsError | InvalidObservation | UnreadableRecord)
