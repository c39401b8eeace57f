"""The trend of a streamer: one entry for each day of a time zone."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from streamwatch.domain.days import Day, days
from streamwatch.domain.models import StreamSnapshot
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.statistics import durations


@dataclass(frozen=True, slots=True)
class TrendDay:
    """A day with the number of streams that began on it, the highest sample of the day (None
    without samples), and the main category of the streams that were on."""

    day: Day
    streams: int
    max_viewers: int | None
    category_name: str | None = None


def trend(
    sessions: Iterable[StreamSession],
    first: date,
    last: date,
    zone: tzinfo,
    samples: Callable[[StreamSession], Sequence[StreamSnapshot]],
    cap: timedelta,
) -> list[TrendDay]:
    """The days in `zone` from `first` to `last`, both included, the oldest first.

    A stream counts on the day it began; hours and viewers on the days on which they were. `samples`
    reads the samples of a session that was on across midnight, each of which counts for `cap` at
    most. Where they have expired, the session's peak counts on each of its days.
    """
    sessions = list(sessions)
    begun = Counter(_date(session.started_at, zone) for session in sessions)
    played = _time_by_category(sessions, zone)
    peaks: dict[date, int] = {}
    for session in sessions:
        for day, viewers in _peaks(session, zone, samples, cap):
            peaks[day] = max(peaks.get(day, viewers), viewers)
    return [
        TrendDay(day, begun[day.day], peaks.get(day.day), _main_category(played[day.day]))
        for day in days(sessions, first, last, zone)
    ]


def _time_by_category(
    sessions: Iterable[StreamSession], zone: tzinfo
) -> defaultdict[date, Counter[str]]:
    """The observed time by category name of the streams that were on at each day. A stream across
    midnight counts as a whole on both days."""
    played: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for session in sessions:
        first = _date(session.started_at, zone)
        last = _date(session.ended_at or session.seen_at, zone)
        for number in range((last - first).days + 1):
            for category in session.sample_totals.categories:
                on_day = played[first + timedelta(days=number)]
                on_day[category.category_name] += category.sums.observed_ms
    return played


def _main_category(played: Counter[str]) -> str | None:
    return played.most_common(1)[0][0] if played else None


def _peaks(
    session: StreamSession,
    zone: tzinfo,
    samples: Callable[[StreamSession], Sequence[StreamSnapshot]],
    cap: timedelta,
) -> Iterable[tuple[date, int]]:
    """The viewers of each sample on the days on which it counts: a sample of the evening may count
    until after midnight."""
    totals = session.sample_totals
    if totals.sums.max_viewers is None or totals.first_at is None or totals.last is None:
        return []
    begin = _date(_within(session, totals.first_at), zone)
    end = _date(_within(session, _last_moment(totals.last, totals.last_ms)), zone)
    if begin == end:
        return [(begin, totals.sums.max_viewers)]
    found = samples(session)
    if len(found) < totals.sums.samples:
        dates = (begin + timedelta(days=number) for number in range((end - begin).days + 1))
        return [(day, totals.sums.max_viewers) for day in dates]
    return [
        (_date(_within(session, at), zone), sample.viewer_count)
        for sample, length_ms in durations(found, session.ended_at, cap)
        for at in (sample.captured_at, _last_moment(sample, length_ms))
    ]


def _last_moment(sample: StreamSnapshot, length_ms: int) -> datetime:
    return sample.captured_at + timedelta(milliseconds=max(length_ms - 1, 0))


def _within(session: StreamSession, at: datetime) -> datetime:
    """`at`, or the last moment of the session if that is earlier. A poll may still show a stream
    that has ended; such a sample counts in the session's peak, so it counts on its last day."""
    if session.ended_at is None:
        return at
    return min(at, max(session.ended_at - timedelta(milliseconds=1), session.started_at))


def _date(time: datetime, zone: tzinfo) -> date:
    return time.astimezone(zone).date()
