"""A streamer's timeline: marks that say "went on" or "went off", in the order of their own times.

Replaying it tells what is on and which marks are news. Consecutive marks that say the same of the
same stream are one event: the first to arrive is told, the others are withheld, and told only when
a mark that arrives later, from between them, makes them news.
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.domain.models import Begun, EventType, Mark, Stream, StreamEvent, Timeline

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
    state = replay(Timeline(timeline.latest, timeline.on, timeline.heard, tuple(marks)))
    events = tuple(_untold(state.runs))
    told = {event.id for event in events}
    marks = [m._replace(withheld=None) if m.message_id in told else m for m in marks]
    return Placed(
        timeline=_settle(Timeline(timeline.latest, timeline.on, timeline.heard, tuple(marks))),
        live=Stream(*state.latest) if state.on and state.latest else None,
        last_type=marks[-1].type,
        events=events,
    )


@dataclass(slots=True)
class Replay:
    """What replaying a timeline ends with.

    Only the stream that started last can be on: a broadcaster has one stream at a time. `heard` is
    the last mark of each stream; `runs` are the marks that say the same of the same stream in
    succession, without those of a run that was told before the timeline begins.
    """

    latest: Begun | None
    on: bool
    heard: dict[str, Mark]
    runs: list[list[Mark]]


def replay(timeline: Timeline) -> Replay:
    """Go through the marks in their order."""
    state = Replay(
        latest=timeline.latest,
        on=timeline.on,
        heard={mark.stream_id or "": mark for mark in timeline.heard},
        runs=[],
    )
    current: dict[str, list[Mark]] = {}
    for mark in timeline.marks:
        subject = mark.stream_id or (state.latest.id if state.latest else "")
        before = state.heard.get(subject)
        if _turn(state, mark, subject) or before is None or _is_news(before, mark):
            current[subject] = [mark]
            state.runs.append(current[subject])
        elif subject in current:
            current[subject].append(mark)
        state.heard[subject] = mark
    return state


def is_superseded(stream: Stream | Begun, latest: Begun | None) -> bool:
    """Whether another stream started later. A stream is not older than itself: EventSub tells its
    start with fractions of a second and Helix without."""
    return latest is not None and latest.id != stream.id and stream.started_at < latest.started_at


def _turn(state: Replay, mark: Mark, subject: str) -> bool:
    """Let `mark` turn the live stream on or off; whether it did."""
    if mark.type is EventType.OFFLINE:
        turned = state.on and state.latest is not None and state.latest.id == subject
        state.on = state.on and not turned
        return turned
    stream = Begun(subject, mark.started_at or mark.at, mark.stream_type)
    if is_superseded(stream, state.latest):
        return False
    turned = not state.on or state.latest is None or state.latest.id != subject
    if turned:
        state.latest, state.on = stream, True
    return turned


def _is_news(before: Mark, mark: Mark) -> bool:
    if before.type is not mark.type:
        return True
    return (
        mark.type is EventType.OFFLINE
        and mark.stream_id is None
        and mark.at - before.at > SAME_OFFLINE
    )


def _untold(runs: Iterable[list[Mark]]) -> Iterable[StreamEvent]:
    """One event for each run of which nothing was told yet."""
    for run in runs:
        first = run[0].withheld
        if first is not None and all(mark.withheld for mark in run):
            yield first


def _order(mark: Mark) -> tuple[datetime, bool, str]:
    return mark.at, mark.type is EventType.OFFLINE, mark.message_id


def _settle(timeline: Timeline) -> Timeline:
    """The timeline without the marks that no message still under way can come before."""
    marks = timeline.marks
    oldest = marks[-1].at - TIMELINE_SPAN
    kept = tuple(mark for mark in marks[-TIMELINE_MARKS:] if mark.at >= oldest)
    settled = marks[: len(marks) - len(kept)]
    if not settled:
        return timeline
    state = replay(Timeline(timeline.latest, timeline.on, timeline.heard, settled))
    subject = state.latest.id if state.latest else ""
    heard = state.heard.get(subject)
    return Timeline(
        latest=state.latest,
        on=state.on,
        heard=(heard._replace(stream_id=subject, withheld=None),) if heard else (),
        marks=kept,
    )
