"""Dead letters, the feed entries that a reader could not process: listed, replayed, dropped."""

from dataclasses import dataclass

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.progress import Progress
from streamwatch.services.analytics.projector import READER, input_of
from streamwatch.services.feed_reader import reason
from streamwatch.storage.base import DeadLetter, Feed, FeedRecord


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a replay: `done` entries were processed; `failed` could not be, each with the
    present error."""

    done: int
    failed: list[tuple[DeadLetter, str]]


class DeadLetters:
    """Lists dead letters, replays them once their cause is removed, and drops them."""

    def __init__(self, feed: Feed, analytics: AnalyticsStore) -> None:
        self._feed = feed
        self._analytics = analytics

    def all(self) -> list[DeadLetter]:
        """The dead letters of all readers, the oldest first within a reader."""
        return [
            entry
            for reader in self._feed.readers()
            for entry in self._feed.dead_letters(reader.name)
        ]

    def drop(self, reader: str, entry_id: str) -> bool:
        """Delete a dead letter of a reader. Returns whether there was one."""
        is_known = any((entry.reader, entry.id) == (reader, entry_id) for entry in self.all())
        if is_known:
            self._feed.drop_dead_letters(reader, [entry_id])
        return is_known

    def replay(self, progress: Progress) -> Replayed:
        """Project the dead letters of the analytics again, and delete those that succeed.
        Repetition and order change nothing.

        Raises AnalyticsUnavailable; the remaining dead letters then do not change.
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
        """The error; None if the record was projected."""
        if record is None:
            return "The stored entry cannot be read."
        try:
            self._analytics.project(input_of(record))
        except AnalyticsUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  even a defect must not stop the others
            return reason(error)
        return None
