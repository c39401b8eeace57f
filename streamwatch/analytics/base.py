"""The port to the analytics: what was observed is kept, and read as sessions and figures.

A backend subclasses `AnalyticsStore` and proves itself with the contract tests in
`streamwatch.analytics.testing`. It has no rules: `domain.sessions` makes sessions of what was
observed, `domain.statistics` their figures. Reads cost by what they answer, or by the number of
streamers, never by the number of samples. Safe to call from several threads and processes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime

from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import ProjectionInput, StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import GameSums, Ranking, StreamerStats, Summary, Totals


class AnalyticsError(Exception):
    """The analytics could not do what was asked: it is the asked that is wrong."""


class AnalyticsUnavailable(AnalyticsError):
    """The analytics did not answer, or not in time. A read says so within 3 seconds."""


class AnalyticsStore(ABC):
    """Sessions, samples and figures. Every verb may raise AnalyticsUnavailable."""

    @abstractmethod
    def ping(self) -> None:
        """Raise AnalyticsUnavailable unless the analytics answer."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the data needs (indexes, retention) what the settings say. Any number of
        times."""

    # Writing

    @abstractmethod
    def project(self, observed: ProjectionInput) -> None:
        """Keep what was observed, and let sessions and figures follow.

        They are functions of all that was ever projected: neither the order, nor repetition, nor
        doing it in several processes at once makes a difference. Raises AnalyticsError, with
        sessions and figures as they were, for what cannot be kept.
        """

    @abstractmethod
    def recalculate(self, user_id: str) -> None:
        """Make the sessions and figures of a streamer anew from what is kept. Figures whose samples
        are no longer kept stay as they are."""

    # One streamer's

    @abstractmethod
    def find(self, login: str) -> StreamerStats | None:
        """The figures of the streamer who was last observed under this login, in lower case."""

    @abstractmethod
    def sessions(self, user_id: str, limit: int) -> list[StreamSession]:
        """The newest sessions by their start."""

    @abstractmethod
    def each_session(self, user_id: str, since: datetime | None = None) -> Iterator[StreamSession]:
        """All sessions that started at or after `since`, the newest first, as they are read."""

    @abstractmethod
    def session(self, stream_id: str) -> StreamSession | None:
        """The session of one stream."""

    @abstractmethod
    def totals(self, user_id: str, since: datetime, until: datetime) -> Totals:
        """What the sessions add up to that started in [since, until)."""

    @abstractmethod
    def categories(self, user_id: str) -> list[CategorySums]:
        """What was played, the most hours first."""

    # Everyone's

    @abstractmethod
    def summary(self) -> Summary:
        """What all sessions add up to."""

    @abstractmethod
    def user_ids(self) -> list[str]:
        """All of whom anything was ever observed."""

    @abstractmethod
    def watched_since(self, since: datetime) -> int:
        """Viewers times milliseconds, of all streams from `since` on: the start of a quarter of an
        hour. Costs by the sessions that were on since."""

    @abstractmethod
    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        """The first by hours streamed, hours watched, peak or average viewers. Of equals, the one
        with the lesser user id comes first."""

    @abstractmethod
    def top_games(self, limit: int) -> list[GameSums]:
        """The categories with the most hours watched. Of equals, the lesser id comes first."""

    # Samples

    @abstractmethod
    def snapshots(self, user_id: str | None, limit: int) -> list[StreamSnapshot]:
        """The newest samples, of one streamer or of all."""

    @abstractmethod
    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        """All samples of one stream, in the order of their times."""

    @abstractmethod
    def each_snapshot(self, user_id: str | None) -> Iterator[StreamSnapshot]:
        """All samples, of one streamer or of all, the newest first, as they are read."""

    def close(self) -> None:  # noqa: B027  a backend without connections has nothing to close
        """Let go of connections."""
