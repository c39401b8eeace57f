"""The true history that a plan describes, and a Twitch that shows it with the plan's faults."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from streamwatch.domain.models import Stream, User
from streamwatch.domain.observations import SeenLive, time_seen
from streamwatch.services.clock import CorrectedClock
from streamwatch.twitch.base import FoundUsers, LiveStreams
from tests.fakes import FakeTwitch
from tests.truth.plans import Period, Plan, StreamPlan

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
USER_ID = "1337"
MAX_FLAP = 40.0
"""The longest pause, in seconds, after which a stream resumes under its id."""


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Segment:
    """A period in which a stream is on. A stream that resumes has several. Times are seconds of
    Twitch's clock; `end` is infinite for the last one of a history that ends live."""

    number: int
    stream_id: str
    start: float
    end: float
    named_start: float
    plan: StreamPlan

    @property
    def online_at(self) -> float:
        return self.start + max(self.plan.start_skew, 0)


class Truth:
    """The segments, names and faults of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.segments = _segments(plan)
        last = self.segments[-1]
        self.last_change = last.start if last.end == float("inf") else last.end
        self.length = self.last_change + 600

    def moment(self, fraction: float) -> float:
        return round(fraction * self.length, 1)

    def login(self, now: float) -> str:
        renamed = [fraction for fraction in self.plan.renames if self.moment(fraction) <= now]
        return f"name_{len(renamed)}"

    @property
    def titles(self) -> list[tuple[float, str]]:
        """The true titles: the time from which on each is shown."""
        planned = [
            (self.title_time(number), item.title) for number, item in enumerate(self.plan.titles)
        ]
        return [(-1.0, "Hello"), *sorted(planned)]

    def title_time(self, number: int) -> float:
        return self.moment(self.plan.titles[number].at) + 10 * number

    def title(self, now: float) -> str:
        return [title for since, title in self.titles if since <= max(now, 0)][-1]

    def titles_near(self, now: float, seconds: float) -> set[str]:
        """All titles that were true within so many seconds of a time."""
        ends = [*(since for since, _ in self.titles[1:]), float("inf")]
        return {
            title
            for (since, title), end in zip(self.titles, ends, strict=True)
            if since <= max(now, 0) + seconds and now - seconds <= end
        }

    def segment_at(self, now: float) -> Segment | None:
        return next((item for item in self.segments if item.start <= now < item.end), None)

    def is_in_gap(self, now: float) -> bool:
        return self._is_within(self._page_gaps, now)

    @cached_property
    def _page_gaps(self) -> tuple[Period, ...]:
        """Those that cannot leave a stream out of two polls in succession: that is its end."""
        found: list[Period] = []
        for gap in sorted(self.plan.page_gaps, key=lambda gap: gap.at):
            if not found or self.moment(gap.at) - self.moment(found[-1].at) > 2 * self.plan.refresh:
                found.append(gap)
        return tuple(found)

    def is_worker_dead(self, now: float) -> bool:
        return self._is_within(self.plan.outages, now)

    def is_removed(self, now: float) -> bool:
        return self._is_within(self.plan.removals, now)

    def _is_within(self, periods: object, now: float) -> bool:
        assert isinstance(periods, tuple)
        return any(
            self.moment(period.at) <= now < self.moment(period.at) + period.seconds
            for period in periods
        )


@dataclass
class Time:
    """The true time in seconds: Twitch's clock. Ours differs by `error`."""

    error: float = 0
    now: float = 0

    def ours(self) -> datetime:
        return at(self.now + self.error)


class FaultyTwitch(FakeTwitch):
    """Helix, which lags behind the truth and leaves streams out."""

    def __init__(self, truth: Truth, time: Time, clock: CorrectedClock) -> None:
        super().__init__(clock=clock)
        self.truth = truth
        self.time = time
        self.corrected = clock
        self.seen_live: list[tuple[float, str]] = []
        """The true times at which answers showed a stream, and its id."""

    def users(self, *, logins: object = (), user_ids: object = ()) -> FoundUsers:
        self._answer()
        user = self._user()
        assert isinstance(logins, list | tuple)
        assert isinstance(user_ids, list | tuple)
        return FoundUsers((user,) if user.login in logins or user.user_id in user_ids else ())

    def streams(self, user_ids: object) -> LiveStreams:
        asked_at = self.corrected()
        self._answer()
        answered_at = self.corrected()
        segment = self.truth.segment_at(self.time.now - self.truth.plan.helix_lag)
        if segment is None or self.truth.is_in_gap(self.time.now):
            return LiveStreams()
        self.seen_live.append((self.time.now, segment.stream_id))
        user = self._user()
        stream = Stream(
            id=segment.stream_id,
            started_at=at(int(segment.named_start)),
            viewer_count=segment.plan.viewers,
            game_id="1",
            game_name="Chess",
            title=self.truth.title(self.time.now - self.truth.plan.helix_lag),
            language="en",
            tags=(),
        )
        seen_at = time_seen(stream, min(asked_at, answered_at), answered_at)
        seen = SeenLive(user.user_id, user.login, user.display_name, stream, seen_at)
        return LiveStreams((seen,))

    def _user(self) -> User:
        login = self.truth.login(self.time.now)
        return User(USER_ID, login, login.title())

    def _answer(self) -> None:
        self.corrected.observe_answer(at(int(self.time.now)), 0)


def _segments(plan: Plan) -> list[Segment]:
    segments: list[Segment] = []
    now = 0.0
    for number, stream in enumerate(plan.streams):
        before = segments[-1] if segments else None
        resumes = stream.resumes and before is not None
        now += min(stream.gap, MAX_FLAP) if resumes else stream.gap
        is_last = number == len(plan.streams) - 1
        end = float("inf") if is_last and plan.ends_live else now + stream.length
        named_start = now + max(stream.start_skew, 0) - stream.start_skew
        if not stream.names_offline:  # a stated limit: see tests/domain/test_corrections.py
            named_start = min(named_start, end)
        segments.append(
            Segment(
                number=number,
                stream_id=before.stream_id if before and resumes else f"s{number}",
                start=now,
                end=end,
                named_start=before.named_start if before and resumes else named_start,
                plan=stream,
            )
        )
        now += stream.length
    return [_with_start_before_next(segment, segments) for segment in segments]


def _with_start_before_next(segment: Segment, segments: list[Segment]) -> Segment:
    """Starts are named in the order of the streams, a stated limit: see
    tests/domain/test_corrections.py."""
    later = [
        each.start for each in segments[segment.number :] if each.stream_id != segment.stream_id
    ]
    return replace(segment, named_start=min([segment.named_start, *(start - 1 for start in later)]))
