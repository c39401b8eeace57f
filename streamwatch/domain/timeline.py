"""A streamer's timeline: marks that say "went on" or "went off", in the order of their own times.

Replaying it tells what is on and which marks are news. Consecutive marks that say the same of the
same stream are one event: the first to arrive is told, the others are withheld, and told only when
a mark that arrives later, from between them, makes them news.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.domain.models import Begun, EventType, Mark, Stream, StreamEvent, Timeline

_OFFLINE = EventType.OFFLINE  # to look it up in the enum takes a tenth of a replay

TIMELINE_SPAN = timedelta(hours=1)
"""How far back a late message is put in its place: six times EventSub's replay window."""

TIMELINE_MARKS = 16
"""How many marks a timeline keeps, however close they are: of a streamer who goes on and off every
minute, those of the replay window. Each is read and written with every message."""

SAME_OFFLINE = timedelta(minutes=1)
"""Two offlines that name no stream, with no online between, are one event within this time."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What putting a mark in its place leads to: the timeline with it, the stream that is on, the
    type of the last mark, and the events that are news now."""

    timeline: Timeline
    live: Stream | None
    last_type: EventType
    events: tuple[StreamEvent, ...]


def place(timeline: Timeline, mark: Mark) -> Placed | None:
    """Put `mark`, which withholds its event, where its time belongs; None if it is there."""
    marks = list(timeline.marks)
    if mark.message_id in [known.message_id for known in marks]:
        return None
    insort(marks, mark, key=_order)
    settled = _settled(marks)
    state = Replay(timeline)
    state.hear(marks[:settled])
    base = state.as_base() if settled else timeline
    state.hear(marks[settled:])
    events = tuple(_untold(state.runs))
    told = {event.id for event in events}
    kept = [m._replace(withheld=None) if m.message_id in told else m for m in marks[settled:]]
    return Placed(
        timeline=Timeline(base.latest, base.on, base.heard, tuple(kept)),
        live=Stream(*state.latest) if state.on and state.latest else None,
        last_type=marks[-1].type,
        events=events,
    )


class Replay:
    """What hearing marks in their order leads to.

    Only the stream that started last can be on: a broadcaster has one stream at a time. `heard` is
    the last mark of each stream; `runs` are the marks that say the same of the same stream in
    succession, without those of a run that was told before the timeline begins.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.latest = timeline.latest
        self.on = timeline.on
        self.heard = {mark.stream_id or "": mark for mark in timeline.heard}
        self.runs: list[list[Mark]] = []
        self._current: dict[str, list[Mark]] = {}

    def hear(self, marks: Iterable[Mark]) -> None:
        heard, current = self.heard, self._current
        for mark in marks:
            subject = mark.stream_id or (self.latest.id if self.latest else "")
            before = heard.get(subject)
            heard[subject] = mark
            if self._turns(mark, subject) or before is None or _is_news(before, mark):
                current[subject] = [mark]
                self.runs.append(current[subject])
            elif subject in current:
                current[subject].append(mark)

    def as_base(self) -> Timeline:
        """The timeline that later marks go on from, with the last that was heard of its stream."""
        subject = self.latest.id if self.latest else ""
        last = self.heard.get(subject)
        heard = (last._replace(stream_id=subject, withheld=None),) if last else ()
        return Timeline(self.latest, self.on, heard)

    def _turns(self, mark: Mark, subject: str) -> bool:
        """Let `mark` turn the live stream on or off; whether it did."""
        is_on = self.on and self.latest is not None and self.latest.id == subject
        if mark.type is _OFFLINE:
            self.on = self.on and not is_on
            return is_on
        if is_on:
            return False
        stream = Begun(subject, mark.started_at or mark.at, mark.stream_type)
        if is_superseded(stream, self.latest):
            return False
        self.latest, self.on = stream, True
        return True


def replay(timeline: Timeline) -> Replay:
    """Go through all of its marks."""
    state = Replay(timeline)
    state.hear(timeline.marks)
    return state


def is_superseded(stream: Stream | Begun, latest: Begun | None) -> bool:
    """Whether another stream started later. A stream is not older than itself: EventSub tells its
    start with fractions of a second and Helix without."""
    return latest is not None and latest.id != stream.id and stream.started_at < latest.started_at


def _is_news(before: Mark, mark: Mark) -> bool:
    if before.type is not mark.type:
        return True
    return mark.type is _OFFLINE and mark.stream_id is None and mark.at - before.at > SAME_OFFLINE


def _untold(runs: Iterable[list[Mark]]) -> Iterable[StreamEvent]:
    """One event for each run of which nothing was told yet."""
    for run in runs:
        first = run[0].withheld
        if first is not None and all(mark.withheld for mark in run):
            yield first


def _order(mark: Mark) -> tuple[datetime, bool, str]:
    return mark.at, mark.type is _OFFLINE, mark.message_id


def _settled(marks: Sequence[Mark]) -> int:
    """How many of the first no message still under way can come before."""
    oldest = marks[-1].at - TIMELINE_SPAN
    first = max(len(marks) - TIMELINE_MARKS, 0)
    return next(place for place in range(first, len(marks)) if marks[place].at >= oldest)
