"""Rankings of streamers by what they did within a period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.totals import Ranking, StreamerStats, Totals, ranked, totals
from streamwatch.services.analytics.queries import ALL_STREAMERS

_CACHED = timedelta(seconds=60)

_WAIT_SECONDS = 1.0
"""How long a request waits for the first ranking of a period: meanwhile it occupies a web thread,
which webhooks need too."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A streamer's statistics of the period, and of the period of the same length before it."""

    stats: StreamerStats
    before: Totals | None


class PeriodRankings:
    """Ranks everyone by the streams that started in a period. May raise AnalyticsUnavailable.

    The ranking of a period reads the sessions of every streamer. So each is cached for a minute in
    the process, and computed by one thread at a time.
    """

    def __init__(self, analytics: AnalyticsStore, clock: Callable[[], datetime]) -> None:
        self._analytics = analytics
        self._clock = clock
        self._locks: dict[int, Lock] = {}
        self._cache: dict[int, tuple[datetime, list[Ranked]]] = {}

    def top(self, ranking: Ranking, days: int | None) -> list[Ranked]:
        """Everyone with a stream in the last `days`, or ever if it is None, first by `ranking`.

        While another thread computes the ranking of this period, this is the previous one, however
        old. If there is none, raises AnalyticsUnavailable after a wait.
        """
        if days is None:
            return [Ranked(stats, None) for stats in self._analytics.top(ranking, ALL_STREAMERS)]
        found = {entry.stats.identity.broadcaster_id: entry for entry in self._period(days)}
        order = ranked([entry.stats for entry in found.values()], ranking)
        return [found[stats.identity.broadcaster_id] for stats in order]

    def _period(self, days: int) -> list[Ranked]:
        lock = self._locks.setdefault(days, Lock())
        previous = self._cache.get(days)
        if not lock.acquire(timeout=0 if previous else _WAIT_SECONDS):
            if previous:
                return previous[1]
            raise AnalyticsUnavailable("The ranking is still being computed for another request.")
        try:
            cached = self._cache.get(days)  # perhaps another thread has just computed it
            if cached is None or self._clock() - cached[0] >= _CACHED:
                found = self._read(self._clock(), timedelta(days=days))
                cached = self._cache[days] = (self._clock(), found)
            return cached[1]
        finally:
            lock.release()

    def _read(self, now: datetime, span: timedelta) -> list[Ranked]:
        found, since = [], now - span
        for stats in self._analytics.top(Ranking.HOURS, ALL_STREAMERS):
            user_id, last = stats.identity.broadcaster_id, stats.totals.last_stream_at
            if last is None or last < since:
                continue
            sessions = list(self._analytics.each_session(user_id, since - span))
            current = totals(item for item in sessions if since <= item.started_at < now)
            before = totals(item for item in sessions if item.started_at < since)
            if current.streams:
                found.append(Ranked(StreamerStats(stats.identity, current), before))
        return found
