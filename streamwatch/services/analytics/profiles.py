"""How streamers do, as somebody looks at it: within a window of days, by stream and by day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from streamwatch.analytics.base import AnalyticsStore
from streamwatch.domain.days import Day, days
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import CategorySums
from streamwatch.domain.totals import StreamerStats, Window, categories
from streamwatch.services.analytics.queries import AnalyticsQueries

CURVE_POINTS = 400
"""As many samples of a stream are shown at most."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A streamer's figures of all time and within a window, with the sessions that started in it,
    the newest first, and what was played in them, the most first."""

    stats: StreamerStats
    window: Window
    sessions: list[StreamSession]
    categories: list[CategorySums]


@dataclass(frozen=True, slots=True)
class Compared:
    """One of several streamers, day by day."""

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

    def profile(self, login: str, window_days: int) -> Profile:
        """Raises UnknownStreamer where nothing was ever observed."""
        stats = self._queries.stats(login)
        window = self._queries.window(stats, window_days)
        found = self._analytics.each_session(stats.identity.broadcaster_id, window.since)
        sessions = list(found)
        played = (one for session in sessions for one in session.sample_totals.categories)
        return Profile(stats, window, sessions, categories(played))

    def sessions_since(self, user_id: str, since: datetime) -> list[StreamSession]:
        """The sessions that started at or after `since`, the newest first."""
        return list(self._analytics.each_session(user_id, since))

    def session(self, profile: Profile, stream_id: str) -> StreamSession | None:
        """A stream of theirs, whenever it was."""
        found = self._analytics.session(stream_id)
        is_theirs = found and found.broadcaster_id == profile.stats.identity.broadcaster_id
        return found if is_theirs else None

    def curve(self, stream_id: str) -> list[StreamSnapshot]:
        """The samples of a stream, oldest first; of many, some: the peak, the last, and those
        with which the category changed are always among them."""
        return _thinned(self._analytics.samples(stream_id))

    def compare(self, logins: Sequence[str], window_days: int, zone: tzinfo) -> list[Compared]:
        """The `logins` with any observation, over the last days in `zone`."""
        today = self._clock().astimezone(zone).date()
        first = today - timedelta(days=window_days - 1)
        since = self._clock() - timedelta(days=window_days + 2)  # a stream lasts 48 hours at most
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


def _thinned(samples: list[StreamSnapshot]) -> list[StreamSnapshot]:
    step = -(-len(samples) // CURVE_POINTS)
    if step <= 1:
        return samples
    peak = max(samples, key=lambda one: one.viewer_count)
    kept = []
    category = None
    for number, sample in enumerate(samples):
        changed = sample.category_id != category
        if changed or number % step == 0 or sample is peak or sample is samples[-1]:
            kept.append(sample)
        category = sample.category_id
    return kept
