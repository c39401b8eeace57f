"""Rankings of streamers by what they did within a period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.totals import Ranking, StreamerStats, Totals, ranked
from streamwatch.services.analytics.queries import ALL_STREAMERS

_CACHED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A streamer's statistics of the period, and of the period of the same length before it."""

    stats: StreamerStats
    before: Totals | None


class PeriodRankings:
    """Ranks everyone by the streams that started in a period. May raise AnalyticsUnavailable.

    One period costs two queries a streamer, so each is cached for a minute in the process.
    """

    def __init__(self, analytics: AnalyticsStore, clock: Callable[[], datetime]) -> None:
        self._analytics = analytics
        self._clock = clock
        self._cache: dict[int, tuple[datetime, list[Ranked]]] = {}

    def top(self, ranking: Ranking, days: int | None) -> list[Ranked]:
        """Everyone with a stream in the last `days`, or ever if it is None, first by `ranking`."""
        if days is None:
            return [Ranked(stats, None) for stats in self._analytics.top(ranking, ALL_STREAMERS)]
        found = {entry.stats.identity.broadcaster_id: entry for entry in self._period(days)}
        order = ranked([entry.stats for entry in found.values()], ranking)
        return [found[stats.identity.broadcaster_id] for stats in order]

    def _period(self, days: int) -> list[Ranked]:
        now = self._clock()
        cached = self._cache.get(days)
        if cached is None or now - cached[0] >= _CACHED:
            cached = self._cache[days] = (now, list(self._read(now, timedelta(days=days))))
        return cached[1]

    def _read(self, now: datetime, span: timedelta) -> list[Ranked]:
        found = []
        for stats in self._analytics.top(Ranking.HOURS, ALL_STREAMERS):
            user_id, last = stats.identity.broadcaster_id, stats.totals.last_stream_at
            if last is None or last < now - span:
                continue
            totals = self._analytics.totals(user_id, now - span, now)
            before = self._analytics.totals(user_id, now - 2 * span, now - span)
            if totals.streams:
                found.append(Ranked(StreamerStats(stats.identity, totals), before))
        return found
