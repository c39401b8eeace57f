"""Computes sessions from events and samples. The result depends on the set of events and samples,
not on the order in which they arrived.

`spans` says when each stream was on; a session adds what the samples say.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from streamwatch.domain.channel import Channel, ChannelUpdate, ShownInfo
from streamwatch.domain.models import StreamSnapshot, Video
from streamwatch.domain.positions import Position
from streamwatch.domain.session_events import Kind, ObservedName, SessionEvent
from streamwatch.domain.spans import EXACT_END, Span, updates_during
from streamwatch.domain.statistics import SampleTotals, compute_totals, milliseconds


@dataclass(frozen=True, slots=True)
class StreamSession:
    """A stream from its start to its end. `ended_at` is None while it is on; `seen_at` is when it
    was last seen on, by a sample or an event. `updates` are those of its span. `is_observed` is
    False for a session that was made from the archived `video` alone."""

    stream_id: str
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str
    started_at: datetime
    ended_at: datetime | None
    seen_at: datetime
    sample_totals: SampleTotals = field(default_factory=SampleTotals)
    updates: tuple[ChannelUpdate, ...] = ()
    video: Video | None = None
    is_observed: bool = True

    @property
    def shown(self) -> ShownInfo | None:
        """The last title, category and language within the session, else those of the video."""
        last = self.sample_totals.last
        if self.updates and (last is None or last.captured_at <= self.updates[-1].at):
            return ShownInfo(*self.updates[-1].info)
        if last is not None:
            return Channel(self.updates).at_sample(last)
        video = self.video
        return ShownInfo(video.title, None, None, video.language) if video else None

    @property
    def title(self) -> str | None:
        """The last title that was observed, else that of the video."""
        observed = self.shown.title if self.shown else None
        return self.video.title if observed is None and self.video else observed

    @property
    def language(self) -> str | None:
        """The last language that was observed, else that of the video."""
        observed = self.shown.language if self.shown else None
        return self.video.language if observed is None and self.video else observed

    @property
    def position(self) -> Position:
        """The position in a list of sessions."""
        return Position(self.started_at, self.stream_id)

    @property
    def is_ongoing(self) -> bool:
        return self.ended_at is None

    @property
    def airtime_ms(self) -> int:
        """From start to end; of an ongoing stream, to when it was last seen."""
        return milliseconds((self.ended_at or self.seen_at) - self.started_at)

    @property
    def coverage(self) -> float:
        """The fraction of the airtime that samples cover, between 0 and 1."""
        observed = self.sample_totals.sums.observed_ms
        return min(observed / self.airtime_ms, 1.0) if self.airtime_ms else 0.0


def session(
    span: Span,
    events: Iterable[SessionEvent],
    samples: Sequence[StreamSnapshot],
    cap: timedelta,
    before: StreamSession | None = None,
) -> StreamSession:
    """The session of the stream with this span.

    `events` are its streamer's, `samples` its own. A stream without an offline ended with its
    video, else when it was last seen, if a later stream is known or the streamer was removed since
    then. `before` is the stored session: the totals of samples that have expired since are taken
    from it, and only samples after its last are added.
    """
    samples = sorted(samples, key=lambda sample: sample.captured_at)
    carried = before.sample_totals if before and _has_lost(before.sample_totals, samples) else None
    newest = [*samples[-1:], *([carried.last] if carried and carried.last else [])]
    last = max(newest, key=lambda sample: sample.captured_at, default=None)
    seen_at = max(span.online_at, last.captured_at) if last else span.online_at
    ended_at = span.ended_at or _last_known(span, seen_at)
    updates = updates_during(span.updates, span.started_at, ended_at)
    name = max(_names(span, events, last))
    return StreamSession(
        stream_id=span.stream_id,
        broadcaster_id=span.broadcaster_id,
        broadcaster_login=name.login,
        broadcaster_name=name.name,
        started_at=span.started_at,
        ended_at=ended_at,
        seen_at=seen_at,
        sample_totals=compute_totals(samples, ended_at, cap, carried, updates),
        updates=updates,
        video=span.video,
        is_observed=span.is_observed,
    )


def _last_known(span: Span, seen_at: datetime) -> datetime | None:
    """The end of a stream without an offline: that of its video, else when it was last seen; None
    while it is on. As in `_end`, the video counts only where the last sight is less exact."""
    video_end = max(seen_at, span.video.ended_at) if span.video else seen_at
    if span.next_start is not None:
        is_exact = span.next_start - seen_at <= EXACT_END
        return min(seen_at if is_exact else video_end, span.next_start)
    if span.monitoring_ended_at is not None and seen_at <= span.monitoring_ended_at:
        return video_end  # how long the stream went on after the removal is not known otherwise
    return None


def _has_lost(before: SampleTotals, samples: Sequence[StreamSnapshot]) -> bool:
    """Whether samples that were counted have expired. The oldest expire first."""
    if before.first_at is None:
        return False
    retained = {sample.captured_at for sample in samples}
    return before.first_at not in retained or len(retained) < before.sums.samples


def _names(
    span: Span, events: Iterable[SessionEvent], last: StreamSnapshot | None
) -> Iterator[ObservedName]:
    """The names of the stream's events and of its last sample. The names of a video are today's:
    they are used only if there are no others."""
    unused = {Kind.SEEN} if last is not None else set()
    if span.is_observed:
        unused.add(Kind.VIDEO)
    for event in events:
        if event.stream_id == span.stream_id and event.kind not in unused:
            yield ObservedName(event.at, event.broadcaster_login, event.broadcaster_name)
    if last is not None:
        yield ObservedName(last.captured_at, last.broadcaster_login, last.broadcaster_name)
