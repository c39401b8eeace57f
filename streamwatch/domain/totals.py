"""Statistics over many streams: of a streamer, of a period, of all streamers. They are exact, from
exact sums."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.domain.session_events import Identity
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import HOUR_MS, CategorySums, Sums, quarter_of


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over several streams; `ended_…` are those of streams that have ended."""

    streams: int = 0
    ended_streams: int = 0
    airtime_ms: int = 0
    ended_airtime_ms: int = 0
    sums: Sums = field(default_factory=Sums)
    last_stream_at: datetime | None = None
    """The start of the latest stream."""
    last_live_at: datetime | None = None
    """The latest end of a stream; of one that is on, when it was last seen."""

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            streams=self.streams + other.streams,
            ended_streams=self.ended_streams + other.ended_streams,
            airtime_ms=self.airtime_ms + other.airtime_ms,
            ended_airtime_ms=self.ended_airtime_ms + other.ended_airtime_ms,
            sums=self.sums + other.sums,
            last_stream_at=_later(self.last_stream_at, other.last_stream_at),
            last_live_at=_later(self.last_live_at, other.last_live_at),
        )

    @property
    def hours_streamed(self) -> float:
        return self.airtime_ms / HOUR_MS


@dataclass(frozen=True, slots=True)
class StreamerStats:
    """A streamer's statistics, as of the newest observation."""

    identity: Identity
    totals: Totals


@dataclass(frozen=True, slots=True)
class Summary:
    """The statistics of all streamers together."""

    streamers: int = 0
    totals: Totals = field(default_factory=Totals)


PERIODS = (7, 30, 90, 365)
"""The lengths of the periods that can be asked for, in days."""


def relative_change(value: float | None, previous: float | None) -> float | None:
    """The change from `previous` to `value` as a part of `previous`; None where either is missing
    or `previous` is 0."""
    return (value - previous) / previous if value is not None and previous else None


@dataclass(frozen=True, slots=True)
class Period:
    """A streamer's statistics: of the streams that started within `days` before `until`, and of
    those that started within as many days before that."""

    days: int
    until: datetime
    totals: Totals
    before: Totals

    @property
    def since(self) -> datetime:
        return self.until - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class CategoryRank:
    """The sums of one category over all streamers who played it."""

    streamers: int
    category: CategorySums


class Ranking(StrEnum):
    """What streamers can be ranked by."""

    HOURS = "hours"
    WATCHED = "watched"
    PEAK = "peak"
    AVERAGE = "average"


def totals(sessions: Iterable[StreamSession]) -> Totals:
    """The totals of several sessions."""
    return sum((session_totals(session) for session in sessions), Totals())


def session_totals(session: StreamSession) -> Totals:
    """The totals of one session."""
    ended = not session.is_ongoing
    return Totals(
        streams=1,
        ended_streams=int(ended),
        airtime_ms=session.airtime_ms,
        ended_airtime_ms=session.airtime_ms if ended else 0,
        sums=session.sample_totals.sums,
        last_stream_at=session.started_at,
        last_live_at=session.ended_at or session.seen_at,
    )


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    """The later of two times; if one is None, the other."""
    return max(first, second) if first and second else first or second


def watched_since(sessions: Iterable[StreamSession], since: datetime) -> int:
    """Viewers times milliseconds of these sessions from the quarter of an hour of `since` on."""
    first = quarter_of(since)
    return sum(
        item.viewer_ms
        for session in sessions
        for item in session.sample_totals.quarters
        if item.quarter >= first
    )


def categories(sums: Iterable[CategorySums]) -> list[CategorySums]:
    """The total of each category, the most played first. If a category has several names, the last
    in alphabetical order counts."""
    known: dict[str, CategorySums] = {}
    for category in sums:
        other = known.get(category.category_id)
        known[category.category_id] = (
            CategorySums(
                category_id=category.category_id,
                category_name=max(category.category_name, other.category_name),
                sums=category.sums + other.sums,
            )
            if other
            else category
        )
    return sorted(known.values(), key=lambda item: (-item.sums.observed_ms, item.category_id))


def summary(totals_of_streamers: Iterable[Totals]) -> Summary:
    """The sum of the totals of all streamers."""
    each = list(totals_of_streamers)
    return Summary(len(each), sum(each, Totals()))


def ranked(streamers: Iterable[StreamerStats], ranking: Ranking) -> list[StreamerStats]:
    """Sorted by `ranking`, the greatest first; streamers without viewers come last."""
    values: dict[Ranking, Callable[[Totals], float | None]] = {
        Ranking.HOURS: lambda of: of.airtime_ms,
        Ranking.WATCHED: lambda of: of.sums.viewer_ms,
        Ranking.PEAK: lambda of: of.sums.max_viewers,
        Ranking.AVERAGE: lambda of: of.sums.average,
    }

    def sort_key(stats: StreamerStats) -> tuple[float, str]:
        value = values[ranking](stats.totals)
        return math.inf if value is None else -value, stats.identity.broadcaster_id

    return sorted(streamers, key=sort_key)


def ranked_categories(of_streamers: Iterable[Sequence[CategorySums]]) -> list[CategoryRank]:
    """The categories of several streamers together, the most watched first."""
    all_sums = [category for played in of_streamers for category in played]
    streamers = Counter(category.category_id for category in all_sums)
    ranks = [CategoryRank(streamers[item.category_id], item) for item in categories(all_sums)]
    return sorted(
        ranks, key=lambda rank: (-rank.category.sums.viewer_ms, rank.category.category_id)
    )
