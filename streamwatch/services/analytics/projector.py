"""Reads the feed and lets the analytics follow it."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.session_events import (
    InvalidObservation,
    ProjectionInput,
    SessionEvent,
    projection_input,
)
from streamwatch.storage.base import Feed, FeedEntry, FeedRecord

log = logging.getLogger(__name__)

READER = "analytics"

BATCH = 10_000
"""How many entries are projected at once. Many share what is done once for each streamer, and still
take a fraction of RECLAIM_SECONDS."""

RECLAIM_SECONDS = 15.0
"""After how long a batch that nobody acknowledged is read again: by then its worker is dead, or the
analytics did not answer."""


def input_of(record: FeedRecord) -> ProjectionInput:
    """The part of a feed's record that the analytics store. Raises InvalidObservation."""
    return projection_input(record.events, record.snapshot, record.name_change, record.watch_end)


Usable = tuple[FeedEntry, ProjectionInput]


class Projector:
    """Any number may run at once, in any processes: projecting the same twice changes nothing."""

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
        """Project the next batch; how many entries it had.

        An entry that cannot be projected becomes a dead letter and delays nothing. Raises
        AnalyticsUnavailable: then nothing was acknowledged and all will be read again.
        """
        self._prepare()
        entries = self._feed.read(READER, self._consumer, BATCH, reclaim_seconds=RECLAIM_SECONDS)
        usable = list(self._usable(entries))
        if usable:
            self._project(usable)
        return len(entries)

    def _prepare(self) -> None:
        """Hold the feed back from being trimmed, and see that the analytics answer before anything
        is handed out."""
        if self._prepared:
            self._analytics.ping()
            return
        self._feed.register(READER)
        self._analytics.prepare()
        for sentence in self._analytics.migrate():
            log.info("Analytics: %s", sentence)
        self._prepared = True

    def _usable(self, entries: list[FeedEntry]) -> Iterator[Usable]:
        for entry in entries:
            if entry.record is None:
                self._set_aside(entry, entry.error or "The entry cannot be read.")
                continue
            try:
                yield entry, input_of(entry.record)
            except InvalidObservation as error:
                self._set_aside(entry, str(error))

    def _project(self, usable: list[Usable]) -> None:
        """Project together or, where that fails, each by itself."""
        merged = _merged(item for _, item in usable)
        try:
            self._analytics.project(merged)
        except AnalyticsUnavailable:
            raise
        except AnalyticsError as error:
            if len(usable) == 1:
                self._set_aside(usable[0][0], str(error))
                return
            for entry_with_input in usable:
                self._project([entry_with_input])
            return
        self._projected(merged.events)
        self._feed.acknowledge(READER, [entry.id for entry, _ in usable])

    def _set_aside(self, entry: FeedEntry, error: str) -> None:
        log.warning("Entry %s of the feed cannot be projected: %s", entry.id, error)
        self._feed.add_dead_letter(READER, entry, error, self._clock())


def _merged(inputs: Iterable[ProjectionInput]) -> ProjectionInput:
    inputs = list(inputs)
    return ProjectionInput(
        tuple(event for each in inputs for event in each.events),
        tuple(sample for each in inputs for sample in each.samples),
    )
