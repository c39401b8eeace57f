"""Projects the feed into the analytics."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.progress import Progress
from streamwatch.domain.session_events import ProjectionInput, SessionEvent, projection_input
from streamwatch.services.feed_reader import FeedReader
from streamwatch.storage.base import Feed, FeedRecord

log = logging.getLogger(__name__)

READER = "analytics"

BATCH = 10_000
"""How many entries are projected at once: many, to save work that is done once for each streamer,
but so few that they take a fraction of the feed reader's RECLAIM_SECONDS."""


def input_of(record: FeedRecord) -> ProjectionInput:
    """The session events and the sample of a feed record. Raises InvalidObservation."""
    return projection_input(
        record.events, record.snapshot, record.name_change, record.monitoring_end
    )


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
        self._analytics = analytics
        self._reader = FeedReader(
            feed=feed,
            name=READER,
            consumer=consumer,
            batch=BATCH,
            convert=input_of,
            process=self._project,
            clock=clock,
        )
        self._prepared = False

    def run_once(self) -> int:
        """Project the next batch, as FeedReader.run_once does. Returns the number of its
        entries."""
        self._prepare()
        return self._reader.run_once()

    def _prepare(self) -> None:
        """Register as a reader, so that the feed is not trimmed too early, and check that the
        analytics answer before entries are handed out."""
        if self._prepared:
            self._analytics.ping()
            return
        self._reader.register()
        self._analytics.prepare()
        for sentence in self._analytics.migrate(_progress_log()):
            log.info("Analytics: %s", sentence)
        self._prepared = True

    def _project(self, inputs: Sequence[ProjectionInput]) -> None:
        merged = ProjectionInput.merge(inputs)
        self._analytics.project(merged)
        self._projected(merged.events)


def _progress_log() -> Progress:
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
