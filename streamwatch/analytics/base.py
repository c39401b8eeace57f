"""The port to the analytics: sessions, samples and statistics, read and projected.

A backend subclasses `AnalyticsStore` and proves itself with the contract tests in
`streamwatch.analytics.testing`. It has no rules: `domain.sessions` makes sessions of events and
samples, `domain.statistics` their statistics. A backend that implements the `Repository` port
projects with `streamwatch.analytics.projection`, as those of StreamWatch do.

The cost of a read depends on the size of its answer, or on the number of streamers, never on the
number of samples. Safe to call from several threads and processes.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from streamwatch.analytics.state import Events, StoredSession, StreamerState, Update
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.positions import Position
from streamwatch.domain.progress import Progress
from streamwatch.domain.session_events import ProjectionInput
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import CategoryRank, Ranking, StreamerStats, Summary, Totals, totals


class AnalyticsError(Exception):
    """The request is invalid, and would fail again."""


class AnalyticsUnavailable(AnalyticsError):
    """The database did not answer, or not in time. A read raises it within 3 seconds."""


class AnalyticsStore(ABC):
    """Sessions, samples and statistics. Every method may raise AnalyticsUnavailable."""

    @abstractmethod
    def ping(self) -> None:
        """Raise AnalyticsUnavailable unless the database answers."""

    @abstractmethod
    def prepare(self) -> None:
        """Create indexes and apply the retention that the settings ask for. Can be repeated."""

    def migrate(self, progress: Progress = lambda _done, _total: None) -> list[str]:
        """Take over what an earlier version stored. Can be repeated.

        Calls `progress` with the number of pieces that are done and their total. Returns a sentence
        for each thing that was done.
        """
        del progress
        return []

    # Writing

    @abstractmethod
    def project(self, new: ProjectionInput) -> None:
        """Store events and samples, and update sessions and statistics.

        The result depends on the set of everything that was ever projected: not on its order, on
        repetition, or on how many processes project at once. Raises AnalyticsError for input that
        cannot be stored; sessions and statistics are then unchanged.
        """

    @abstractmethod
    def recalculate(self, user_id: str) -> None:
        """Compute the sessions and statistics of a streamer from the stored events and samples.
        Sums over samples that have expired stay as they are."""

    # One streamer

    @abstractmethod
    def find(self, login: str) -> StreamerStats | None:
        """The statistics of the streamer who was last observed under this login, in lower case."""

    def sessions(
        self, user_id: str, limit: int, after: Position | None = None
    ) -> list[StreamSession]:
        """The newest sessions by `StreamSession.position`; with `after`, those that come later in
        this order."""
        return list(islice(self.each_session(user_id, after=after), limit))

    @abstractmethod
    def each_session(
        self, user_id: str, since: datetime | None = None, after: Position | None = None
    ) -> Iterator[StreamSession]:
        """All sessions that started at or after `since`, the newest first, read step by step; with
        `after`, those that come later in this order."""

    @abstractmethod
    def session(self, stream_id: str) -> StreamSession | None:
        """The session of one stream."""

    def sessions_of_streams(self, stream_ids: Collection[str]) -> list[StreamSession]:
        """The sessions of these streams, in any order. Streams without a session are left out."""
        found = map(self.session, stream_ids)
        return [session for session in found if session is not None]

    def totals(self, user_id: str, since: datetime, until: datetime) -> Totals:
        """The totals of the sessions that started in [since, until)."""
        sessions = self.each_session(user_id, since)
        return totals(session for session in sessions if session.started_at < until)

    @abstractmethod
    def categories(self, user_id: str) -> list[CategorySums]:
        """The categories of a streamer, the most hours first."""

    # All streamers

    @abstractmethod
    def summary(self) -> Summary:
        """The totals of all sessions."""

    @abstractmethod
    def user_ids(self) -> list[str]:
        """The ids of all streamers that were ever observed, sorted."""

    @abstractmethod
    def watched_since(self, since: datetime) -> int:
        """Viewers times milliseconds of all streams from `since` on, which is the start of a
        quarter of an hour. The cost depends on the number of sessions that were on since."""

    @abstractmethod
    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        """The first streamers by hours streamed, hours watched, peak or average viewers. Equals
        are sorted by user id."""

    @abstractmethod
    def top_categories(self, limit: int) -> list[CategoryRank]:
        """The categories with the most hours watched. Equals are sorted by id."""

    # Samples

    def snapshots(
        self, user_id: str | None, limit: int, after: Position | None = None
    ) -> list[StreamSnapshot]:
        """The newest samples by `StreamSnapshot.position`, of one streamer or of all; with `after`,
        those that come later in this order."""
        return list(islice(self.each_snapshot(user_id, after), limit))

    @abstractmethod
    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        """All samples of one stream, in the order of their times."""

    @abstractmethod
    def each_snapshot(
        self, user_id: str | None, after: Position | None = None
    ) -> Iterator[StreamSnapshot]:
        """All samples, of one streamer or of all, the newest first, read step by step; with
        `after`, those that come later in this order. Samples that were stored before the first is
        read are all returned, also if others of their streams are stored meanwhile."""

    def close(self) -> None:  # noqa: B027  a backend without connections has nothing to close
        """Close connections."""


@dataclass(frozen=True, slots=True)
class History:
    """All stored events and sessions of a streamer."""

    events: Events
    sessions: Mapping[str, StoredSession]


class Repository(ABC):
    """What the projection reads and saves. Every method may raise AnalyticsUnavailable."""

    @abstractmethod
    def states(self, user_ids: Collection[str]) -> dict[str, StreamerState]:
        """The stored states of these streamers by user id."""

    @abstractmethod
    def stored_sessions(self, stream_ids: Collection[str]) -> dict[str, StoredSession]:
        """The stored sessions of these streams by stream id."""

    @abstractmethod
    def stored_samples(self, stream_ids: Collection[str]) -> dict[str, list[StreamSnapshot]]:
        """The stored samples of these streams by stream id, in any order."""

    @abstractmethod
    def history(self, user_id: str) -> History:
        """Everything of one streamer, read after their state."""

    @abstractmethod
    def save(self, updates: Sequence[Update]) -> set[str]:
        """Save these updates, each if its state still has the version that it was read with.
        Returns the user ids of those that were saved.

        Where an update cannot be saved in one step, events and samples are stored first, then the
        sessions, each if it still has its version, then the state: so a state that was saved has
        everything that it counts. Events and samples that are stored already stay as they are, but
        for events that `domain.session_events.merge_events` changes.
        """
