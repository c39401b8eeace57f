"""Feed entries that a reader could not process: looked at, and processed again."""

from dataclasses import dataclass

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.session_events import InvalidObservation
from streamwatch.services.analytics.projector import READER, input_of
from streamwatch.services.progress import Progress
from streamwatch.storage.base import DeadLetter, Feed, FeedRecord


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many entries have been processed after all; those that still cannot be, with what is
    wrong now."""

    done: int
    failed: list[tuple[DeadLetter, str]]


class DeadLetters:
    """What an operator does about them, once what was wrong is mended."""

    def __init__(self, feed: Feed, analytics: AnalyticsStore) -> None:
        self._feed = feed
        self._analytics = analytics

    def all(self) -> list[DeadLetter]:
        """Those of all readers, each reader's oldest first."""
        return [
            entry
            for reader in self._feed.readers()
            for entry in self._feed.dead_letters(reader.name)
        ]

    def replay(self, progress: Progress) -> Replayed:
        """Project those of the analytics again, and forget those that succeed: repetition and order
        change nothing.

        Raises AnalyticsUnavailable: the rest then stays as it is.
        """
        entries = self._feed.dead_letters(READER)
        failed = []
        for number, entry in enumerate(entries, 1):
            error = self._project(entry.record)
            if error is None:
                self._feed.drop_dead_letters(READER, [entry.id])
            else:
                failed.append((entry, error))
            progress(number, len(entries))
        return Replayed(len(entries) - len(failed), failed)

    def _project(self, record: FeedRecord | None) -> str | None:
        """What is wrong; None where nothing is."""
        if record is None:
            return "What is stored cannot be read."
        try:
            self._analytics.project(input_of(record))
        except AnalyticsUnavailable:
            raise
        except (AnalyticsError, InvalidObservation) as error:
            return str(error)
        return None
