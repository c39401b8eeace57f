"""Statistics of streamers within a period, for pages that show or compare them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.days import Day, days
from streamwatch.domain.models import LONGEST_STREAM
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import Period, StreamerStats, categories
from streamwatch.services.analytics.queries import AnalyticsQueries


@dataclass(frozen=True, slots=True)
class Profile:
    """A streamer's statistics of all time and of a period, with the sessions that started in the
    period, the newest first, and their categories, the most hours first."""

    stats: StreamerStats
    period: Period
    sessions: list[StreamSession]
    categories: list[CategorySums]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The sessions before and after one of a streamer's."""

    previous: StreamSession | None
    following: StreamSession | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One of several streamers, with one entry per day."""

    stats: StreamerStats
    days: list[Day]


class StreamerProfiles:
    """Reads the analytics, which may raise AnalyticsUnavailable. Logins are in any case."""

    def __init__(
        self, queries: AnalyticsQueries, analytics: AnalyticsStore, clock: Callable[[], datetime]
    ) -> None:
        self._queries = queries
        self._analytics = analytics
        self._clock = clock

    def profile(self, login: str, period_days: int) -> Profile:
        """The last `period_days`. Raises UnknownStreamer if nothing was ever observed."""
        stats = self._queries.stats(login)
        period = self._queries.period(stats, period_days)
        found = self._analytics.each_session(stats.identity.broadcaster_id, period.since)
        sessions = list(found)
        played = (category for session in sessions for category in session.sample_totals.categories)
        return Profile(stats, period, sessions, categories(played))

    def starts_since(self, user_id: str, since: datetime) -> list[datetime]:
        """When the streamer's sessions started, at or after `since`, the newest first."""
        return [session.started_at for session in self._analytics.each_session(user_id, since)]

    def neighbours(self, session: StreamSession) -> Neighbours:
        """The streamer's sessions before and after `session`. The cost depends on the number of
        sessions after it."""
        following = None
        for other in self._analytics.each_session(session.broadcaster_id):
            if other.position < session.position:
                return Neighbours(other, following)
            if other.stream_id != session.stream_id:
                following = other
        return Neighbours(None, following)

    def compare(self, logins: Sequence[str], period_days: int, zone: tzinfo) -> list[Compared]:
        """Those of `logins` that were ever observed, over the last days in `zone`."""
        today = self._clock().astimezone(zone).date()
        first = today - timedelta(days=period_days - 1)
        since = self._clock() - timedelta(days=period_days) - LONGEST_STREAM
        found = [stats for login in logins if (stats := self._analytics.find(login.lower()))]
        return [
            Compared(
                stats,
                days(
                    self._analytics.each_session(stats.identity.broadcaster_id, since),
                    first,
                    today,
                    zone,
                ),
            )
            for stats in found
        ]
