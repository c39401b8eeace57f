"""The analytics of one machine, with no server: in memory, and in a journal from which every
process of the machine, also a later one, makes the same."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Self

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.journal import Journal
from streamwatch.analytics.memory import MemoryAnalytics
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import ProjectionInput, StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import GameSums, Ranking, StreamerStats, Summary, Totals
from streamwatch.settings import Settings


class EmbeddedAnalytics(AnalyticsStore):
    """The analytics in memory, which before every verb read what was added to the journal.

    The rules are MemoryAnalytics' alone. All samples are in the memory of every process, and none
    leaves the journal, whatever the retention: for the streamers of one machine. MongoDB is for
    more.
    """

    def __init__(
        self,
        file: Path,
        sample_cap: timedelta,
        retention: timedelta | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._memory = MemoryAnalytics(sample_cap, retention, clock)
        self._journal = Journal(file)
        self._place = 0
        self._lock = Lock()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        days = settings.snapshot_retention_days
        return cls(
            settings.data_dir / "analytics.jsonl",
            sample_cap=timedelta(seconds=settings.sample_cap_seconds),
            retention=timedelta(days=days) if days else None,
        )

    @property
    def _current(self) -> MemoryAnalytics:
        """The analytics with all that any process has projected by now."""
        with self._lock:
            place, observed = self._journal.after(self._place)
            self._memory.project(observed)  # of nothing, too: what is too old goes
            self._place = place
        return self._memory

    def ping(self) -> None:
        """Whoever asks whether all is well does not wait for the whole journal to be read."""
        self._journal.ping()

    def prepare(self) -> None:
        self._journal.ping()

    def project(self, observed: ProjectionInput) -> None:
        if observed.events or observed.samples:
            self._journal.append(observed, self._place)
        self._current.ping()

    def recalculate(self, user_id: str) -> None:
        self._current.recalculate(user_id)

    def find(self, login: str) -> StreamerStats | None:
        return self._current.find(login)

    def sessions(self, user_id: str, limit: int) -> list[StreamSession]:
        return self._current.sessions(user_id, limit)

    def each_session(self, user_id: str, since: datetime | None = None) -> Iterator[StreamSession]:
        return self._current.each_session(user_id, since)

    def session(self, stream_id: str) -> StreamSession | None:
        return self._current.session(stream_id)

    def totals(self, user_id: str, since: datetime, until: datetime) -> Totals:
        return self._current.totals(user_id, since, until)

    def categories(self, user_id: str) -> list[CategorySums]:
        return self._current.categories(user_id)

    def summary(self) -> Summary:
        return self._current.summary()

    def user_ids(self) -> list[str]:
        return self._current.user_ids()

    def watched_since(self, since: datetime) -> int:
        return self._current.watched_since(since)

    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        return self._current.top(ranking, limit)

    def top_games(self, limit: int) -> list[GameSums]:
        return self._current.top_games(limit)

    def snapshots(self, user_id: str | None, limit: int) -> list[StreamSnapshot]:
        return self._current.snapshots(user_id, limit)

    def samples(self, stream_id: str) -> list[StreamSnapshot]:
        return self._current.samples(stream_id)

    def each_snapshot(self, user_id: str | None) -> Iterator[StreamSnapshot]:
        return self._current.each_snapshot(user_id)
