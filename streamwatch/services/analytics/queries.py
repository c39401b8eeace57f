"""Analytics queries: sessions, statistics, rankings and samples."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from streamwatch.analytics.base import AnalyticsError, AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.models import LONGEST_STREAM, StreamSnapshot
from streamwatch.domain.positions import Position
from streamwatch.domain.progress import Progress
from streamwatch.domain.schedule import Cell, schedule
from streamwatch.domain.segments import Gap, Segment, gaps, segments, thin
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import CategoryRank, Period, Ranking, StreamerStats, Summary
from streamwatch.domain.trend import TrendDay, trend
from streamwatch.services.errors import UnknownSession, UnknownStreamer
from streamwatch.storage.base import Coordination, Topic

ALL_STREAMERS = 1_000_000
"""A limit for rankings of all streamers."""


@dataclass(frozen=True, slots=True)
class SessionDetails:
    """A session with its segments, some of its samples in the order of their times, and the gaps
    in which it was not observed."""

    session: StreamSession
    segments: list[Segment]
    samples: list[StreamSnapshot]
    gaps: list[Gap]


class AnalyticsQueries:
    """Reads the analytics. Every method may raise AnalyticsUnavailable. A method that takes a login
    (in any case) raises UnknownStreamer if nothing was ever observed of that streamer."""

    def __init__(
        self,
        analytics: AnalyticsStore,
        coordination: Coordination,
        clock: Callable[[], datetime],
        sample_cap: timedelta,
    ) -> None:
        self._analytics = analytics
        self._coordination = coordination
        self._clock = clock
        self._sample_cap = sample_cap

    # One streamer

    def stats(self, login: str) -> StreamerStats:
        found = self._analytics.find(login.lower())
        if found is None:
            raise UnknownStreamer(login)
        return found

    def recalculate(self, login: str) -> StreamerStats:
        """Compute the statistics from the stored events and samples, and return them."""
        self._analytics.recalculate(self._user_id(login))
        self._coordination.publish_change(Topic.ANALYTICS)
        return self.stats(login)

    def recalculate_all(self, progress: Progress) -> tuple[int, list[AnalyticsError]]:
        """Recalculate all streamers. Returns how many were recalculated, and the errors of the
        others."""
        user_ids, errors = self._analytics.user_ids(), list[AnalyticsError]()
        for number, user_id in enumerate(user_ids, 1):
            try:
                self._analytics.recalculate(user_id)
            except AnalyticsUnavailable:
                raise
            except AnalyticsError as error:
                errors.append(error)
            progress(number, len(user_ids))
        self._coordination.publish_change(Topic.ANALYTICS)
        return len(user_ids) - len(errors), errors

    def period(self, stats: StreamerStats, days: int) -> Period:
        """The totals of the last `days` days, and of as many days before."""
        user_id, until, span = stats.identity.broadcaster_id, self._clock(), timedelta(days=days)
        totals = self._analytics.totals
        return Period(
            days=days,
            until=until,
            totals=totals(user_id, until - span, until),
            before=totals(user_id, until - 2 * span, until - span),
        )

    def sessions(
        self, stats: StreamerStats, limit: int, after: Position | None = None
    ) -> list[StreamSession]:
        """A streamer's newest sessions; with `after`, those that come later in this order."""
        return self._analytics.sessions(stats.identity.broadcaster_id, limit, after)

    def each_session(self, login: str) -> Iterator[StreamSession]:
        """All sessions of a streamer, the newest first, read step by step."""
        return self._analytics.each_session(self._user_id(login))

    def categories(self, login: str) -> list[CategorySums]:
        """The categories of a streamer, the most hours first."""
        return self._analytics.categories(self._user_id(login))

    def schedule(self, login: str, zone: tzinfo, days: int) -> list[Cell]:
        """The 168 hours of the week in `zone`, by the streams of the last `days` days."""
        since = self._clock() - timedelta(days=days)
        return schedule(self._analytics.each_session(self._user_id(login), since), zone)

    def trend(self, login: str, zone: tzinfo, days: int) -> list[TrendDay]:
        """The last `days` dates in `zone`, today as the last."""
        user_id, now = self._user_id(login), self._clock()
        today = now.astimezone(zone).date()
        since = now - timedelta(days=days) - LONGEST_STREAM - timedelta(days=1)
        return trend(
            self._analytics.each_session(user_id, since),
            today - timedelta(days=days - 1),
            today,
            zone,
            lambda session: self._analytics.samples(session.stream_id),
            self._sample_cap,
        )

    def session_details(self, login: str, stream_id: str) -> SessionDetails:
        """One session with its segments and samples. Raises UnknownSession if the streamer has no
        such session."""
        user_id, session = self._user_id(login), self._analytics.session(stream_id)
        if session is None or session.broadcaster_id != user_id:
            raise UnknownSession(login, stream_id)
        samples = self._analytics.samples(stream_id)
        return SessionDetails(
            session,
            segments(session, samples, self._sample_cap),
            thin(samples),
            gaps(session, samples, self._sample_cap),
        )

    # All streamers

    def sessions_of_streams(self, stream_ids: Collection[str]) -> list[StreamSession]:
        """The sessions of these streams, in any order. Streams without a session are left out."""
        return self._analytics.sessions_of_streams(stream_ids)

    def summary(self) -> Summary:
        return self._analytics.summary()

    def top(
        self, ranking: Ranking, limit: int, user_ids: Collection[str] | None = None
    ) -> list[StreamerStats]:
        """The first streamers; with `user_ids` the first of these."""
        if user_ids is None:
            return self._analytics.top(ranking, limit)
        everyone = self._analytics.top(ranking, ALL_STREAMERS)
        return [stats for stats in everyone if stats.identity.broadcaster_id in user_ids][:limit]

    def top_categories(self, limit: int) -> list[CategoryRank]:
        """The categories with the most hours watched."""
        return self._analytics.top_categories(limit)

    # Samples of all streamers or of one; a login that is not known has none

    def snapshots(
        self, login: str | None, limit: int, after: Position | None = None
    ) -> list[StreamSnapshot]:
        """The newest samples; with `after`, those that come later in this order."""
        if login is None:
            return self._analytics.snapshots(None, limit, after)
        found = self._analytics.find(login.lower())
        if found is None:
            return []
        return self._analytics.snapshots(found.identity.broadcaster_id, limit, after)

    def each_snapshot(self, login: str | None) -> Iterator[StreamSnapshot]:
        """All samples, the newest first, read step by step."""
        if login is None:
            return self._analytics.each_snapshot(None)
        found = self._analytics.find(login.lower())
        if found is None:
            return iter(())
        return self._analytics.each_snapshot(found.identity.broadcaster_id)

    def _user_id(self, login: str) -> str:
        return self.stats(login).identity.broadcaster_id
