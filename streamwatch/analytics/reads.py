"""Reads that are computed in Python from the statistics of all streamers."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.analytics.state import Statistics
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.totals import (
    CategoryRank,
    Ranking,
    StreamerStats,
    Summary,
    ranked,
    ranked_categories,
    summary,
    watched_since,
)


class ComputedReads(AnalyticsStore):
    """The base of a backend whose database has no queries of its own."""

    @abstractmethod
    def all_statistics(self) -> Iterable[Statistics]:
        """The statistics of all streamers, in any order."""

    @abstractmethod
    def observed_under(self, login: str) -> Iterable[Statistics]:
        """The statistics of all streamers who were observed under this login, and perhaps others'.
        They may have another login now."""

    @abstractmethod
    def sessions_on_since(self, since: datetime) -> Iterable[StreamSession]:
        """The sessions that are on or ended at or after `since`, and perhaps others."""

    def find(self, login: str) -> StreamerStats | None:
        stats = (item.stats for item in self.observed_under(login))
        named = (item for item in stats if item.identity.latest_name.login == login)
        return max(named, key=lambda item: item.identity.latest_name.at, default=None)

    def summary(self) -> Summary:
        return summary(item.total.totals for item in self.all_statistics())

    def watched_since(self, since: datetime) -> int:
        return watched_since(self.sessions_on_since(since), since)

    def top(self, ranking: Ranking, limit: int) -> list[StreamerStats]:
        return ranked((item.stats for item in self.all_statistics()), ranking)[:limit]

    def top_categories(self, limit: int) -> list[CategoryRank]:
        return ranked_categories(item.total.categories for item in self.all_statistics())[:limit]
