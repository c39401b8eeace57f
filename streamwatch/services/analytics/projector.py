"""Projects the feed into the analytics."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.session_events import (
    InvalidObservation,
    ProjectionInput,
    SessionEvent,
    projection_input,
)
from streamwatch.storage.base import MAX_TRIES, Feed, FeedEntry, FeedRecord

log = logging.getLogger(__name__)

READER = "analytics"

BATCH = 10_000
"""How many entries are projected at once: many, to save work that is done once for each streamer,
but so few that they take a fraction of RECLAIM_SECONDS."""

RECLAIM_SECONDS = 15.0
"""When a batch that was not acknowledged is read again: its worker is dead by then, or the
analytics did not answer."""


def input_of(record: FeedRecord) -> ProjectionInput:
    """The session events and the sample of a feed record. Raises InvalidObservation."""
    return projection_input(
        record.events, record.snapshot, record.name_change, record.monitoring_end
    )


def is_expected(error: Exception) -> bool:
    """Whether the entry is the cause, so that it fails again. Any other error is a defect of
    StreamWatch, or is over at the next try."""
    return isinstance(error, AnalyticsError | InvalidObservation)


def reason(error: Exception) -> str:
    """Why an entry cannot be projected."""
    return str(error) if is_expected(error) else f"An unexpected error: {type(error).__name__}"


Usable = tuple[FeedEntry, ProjectionInput]


class Projector:
    """Projects batches of feed entries. Several may run at once, in any processes: a repeated
    projection changes nothing."""

    def __init__(
        self,
        feed: Feed,
        analytics: AnalyticsStore,
        consumer: str,
        clock: Callable[[], datetime],
        projected: Callable[[Sequence[SessionEvent]], None] = lambda _events: None,
    ) -> None:
        """`projected` is called with the events of each batch after the analytics have changed,
        before the batch is acknowledged."""
        self._projected = projected
        self._feed = feed
        self._analytics = analytics
        self._consumer = consumer
        self._clock = clock
        self._prepared = False

    def run_once(self) -> int:
        """Project the next batch. Returns the number of its entries.

        An entry that cannot be projected becomes a dead letter and delays nothing; after an
        unexpected error it is read again up to MAX_TRIES times before. Raises
        AnalyticsUnavailable: then nothing was acknowledged and all will be read again.
        """
        self._prepare()
        entries = self._feed.read(READER, self._consumer, BATCH, reclaim_seconds=RECLAIM_SECONDS)
        usable = list(self._usable(entries))
        if usable:
            self._project(usable)
        return len(entries)

    def _prepare(self) -> None:
        """Register as a reader, so that the feed is not trimmed too early, and check that the
        analytics answer before entries are handed out."""
        if self._prepared:
            self._analytics.ping()
            return
        self._feed.register(READER)
        self._analytics.prepare()
        for sentence in self._analytics.migrate(_progress_log()):
            log.info("Analytics: %s", sentence)
        self._prepared = True

    def _usable(self, entries: list[FeedEntry]) -> Iterator[Usable]:
        for entry in entries:
            if entry.record is None:
                self._add_dead_letter(entry, entry.error or "The entry cannot be read.")
                continue
            try:
                yield entry, input_of(entry.record)
            except Exception as error:  # noqa: BLE001  even a defect must not stop the others
                self._fail(entry, error)

    def _project(self, usable: list[Usable]) -> None:
        """Project the entries together or, if that fails, one by one."""
        merged = ProjectionInput.merge(item for _, item in usable)
        try:
            self._analytics.project(merged)
        except AnalyticsUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  even a defect must not stop the others
            if len(usable) == 1:
                self._fail(usable[0][0], error)
                return
            for entry_with_input in usable:
                self._project([entry_with_input])
            return
        self._projected(merged.events)
        self._feed.acknowledge(READER, [entry.id for entry, _ in usable])

    def _fail(self, entry: FeedEntry, error: Exception) -> None:
        if not is_expected(error):
            log.error("Projecting entry %s of the feed failed", entry.id, exc_info=error)
            if entry.tries < MAX_TRIES:
                return  # not acknowledged, and so read again
        self._add_dead_letter(entry, reason(error))

    def _add_dead_letter(self, entry: FeedEntry, error: str) -> None:
        log.warning("Entry %s of the feed cannot be projected: %s", entry.id, error)
        self._feed.add_dead_letter(READER, entry, error, self._clock())


def _progress_log() -> Callable[[int, int], None]:
    """A function that logs the progress of a conversion at its start and at each tenth: an import
    may take minutes, in which nothing else is projected."""
    logged = -1

    def report(done: int, total: int) -> None:
        nonlocal logged
        tenths = 10 * done // max(total, 1)
        if tenths > logged:
            logged = tenths
            log.info("Analytics: converted %d %% of what an earlier version stored", 10 * tenths)

    return report
