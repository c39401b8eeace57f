"""Figures over many streams: a streamer's, a window's, everyone's. Exact, from exact sums."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.domain.sessions import Named, StreamSession
from streamwatch.domain.statistics import HOUR_MS, CategorySums, Sums


@dataclass(frozen=True, slots=True)
class Totals:
    """What streams add up to; `ended_…` is of those that are over."""

    streams: int = 0
    ended_streams: int = 0
    airtime_ms: int = 0
    ended_airtime_ms: int = 0
    sums: Sums = field(default_factory=Sums)
    last_stream_at: datetime | None = None
    """When the stream that started last did."""

    @property
    def hours_streamed(self) -> float:
        return self.airtime_ms / HOUR_MS


@dataclass(frozen=True, slots=True)
class Identity:
    """Who was observed: the names of the newest observation, and when the first was made."""

    broadcaster_id: str
    named: Named
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class StreamerStats:
    """A streamer's figures, as of the newest observation."""

    identity: Identity
    totals: Totals


@dataclass(frozen=True, slots=True)
class Summary:
    """Everyone's figures together."""

    streamers: int = 0
    totals: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class Window:
    """A streamer's figures of the streams that started within `days` before `until`, and of those
    within as many days before."""

    days: int
    until: datetime
    totals: Totals
    before: Totals

    @property
    def since(self) -> datetime:
        return self.until - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class GameSums:
    """What one category comes to over all streamers who played it."""

    streamers: int
    category: CategorySums


class Ranking(StrEnum):
    """By what streamers are ranked."""

    HOURS = "hours"
    WATCHED = "watched"
    PEAK = "peak"
    AVERAGE = "average"


def totals(sessions: Iterable[StreamSession]) -> Totals:
    """What these sessions add up to."""
    sessions = list(sessions)
    ended = [one for one in sessions if not one.is_ongoing]
    return Totals(
        streams=len(sessions),
        ended_streams=len(ended),
        airtime_ms=sum(one.airtime_ms for one in sessions),
        ended_airtime_ms=sum(one.airtime_ms for one in ended),
        sums=sum((one.sampled.sums for one in sessions), Sums()),
        last_stream_at=max((one.started_at for one in sessions), default=None),
    )


def categories(several: Iterable[CategorySums]) -> list[CategorySums]:
    """One for each category, the most played first. Of several names the last in the alphabet."""
    known: dict[str, CategorySums] = {}
    for one in several:
        other = known.get(one.category_id, one)
        known[one.category_id] = CategorySums(
            category_id=one.category_id,
            category_name=max(one.category_name, other.category_name),
            sums=one.sums if other is one else one.sums + other.sums,
        )
    return sorted(known.values(), key=lambda one: (-one.sums.observed_ms, one.category_id))
