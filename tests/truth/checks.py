"""Compares what the services say with the truth. The tolerances are stated beside each check."""

from datetime import datetime
from itertools import pairwise

from streamwatch.domain.models import EventType, Source, StreamEvent
from streamwatch.domain.sessions import StreamSession
from streamwatch.domain.status_update import MIN_LENGTH
from streamwatch.domain.updates import HELIX_LAG
from tests.truth.play import Play
from tests.truth.world import USER_ID, Segment, at

CLOCK = 3.0
"""Seconds: how exactly our clock is corrected by answers whose dates are whole seconds."""


def check_now(play: Play) -> None:
    """What holds at every moment."""
    now, truth = play.time.now, play.truth
    status = play.storage.status(USER_ID)
    if not play.storage.streamers():
        assert status is None, "a removed streamer is shown"
    elif status is not None and status.stream is not None:
        segments = [item for item in truth.segments if item.stream_id == status.stream.id]
        begun = [item for item in segments if item.start <= now + CLOCK]
        assert begun, f"{status.stream.id} is live before it began"
        assert (begun[-1], EventType.OFFLINE) not in play.delivered.values(), (
            f"{status.stream.id} is live although its end was reported"
        )
    for event in play.storage.events(3):
        assert event.timestamp <= at(now + CLOCK), "an event is dated later than it arrived"


def check_all(play: Play) -> None:
    """What holds once everything has settled."""
    check_status(play)
    recorded = check_history(play)
    check_updates(play)
    check_feed(play)
    check_sessions(play, recorded)


def check_status(play: Play) -> None:
    """The status is the truth, with the newest name."""
    status, segment = play.storage.status(USER_ID), play.truth.segment_at(play.time.now)
    assert status is not None
    assert (status.stream and status.stream.id) == (segment and segment.stream_id)
    if segment is not None and status.stream is not None:
        is_reported = any(
            item.stream_id == segment.stream_id and kind is EventType.ONLINE
            for item, kind in play.delivered.values()
        )
        assert status.stream.type in ({segment.plan.type} if is_reported else {"live"}) or any(
            item.stream_id == segment.stream_id and item.plan.type == status.stream.type
            for item in play.truth.segments
        )
    assert status.login == play.login
    [streamer] = play.services.streamers.all()
    assert streamer.login == play.login


def check_history(play: Play) -> dict[tuple[int, EventType], StreamEvent]:
    """Each start and end that was observed is one event, and nothing else is."""
    everything = play.history()
    assert len({event.id for event in everything}) == len(everything)
    events = [event for event in everything if event.event_type is not EventType.UPDATE]
    recorded: dict[tuple[int, EventType], StreamEvent] = {}
    for event in events:
        segment = _segment_of(play, event, recorded)
        key = segment.number, event.event_type
        assert key not in recorded, f"recorded twice: {key}"
        recorded[key] = event
        if event.source is not Source.EVENTSUB:
            _check_estimate(play, segment, event)
    _check_complete(play, recorded)
    _check_order(play, recorded)
    return recorded


def check_updates(play: Play) -> None:
    """The title that is shown is the truth. An update that Twitch pushed has the true title of its
    time; one that a poll found has a title that was true within a Helix lag, or before a message
    that Helix had not noticed yet. No title follows itself."""
    updates = sorted(
        (event for event in play.history() if event.event_type is EventType.UPDATE),
        key=lambda event: (event.timestamp, event.id),
    )
    for before, after in pairwise(updates):
        assert before.data["title"] != after.data["title"], f"{after.id} changes nothing"
    for event in updates:
        seconds = (event.timestamp - at(0)).total_seconds()
        # A copy of a message under another id may be dated a second late.
        near = play.truth.titles_near(seconds, CLOCK)
        near |= play.truth.titles_near(seconds - play.plan.helix_lag, CLOCK)
        assert event.data["title"] in near, f"{event.data['title']} was not the title at {seconds}"
        assert event.data["changed"], f"{event.id} changes nothing"
    status = play.storage.status(USER_ID)
    if status is not None and status.stream is not None and status.stream.title is not None:
        assert status.stream.title == play.truth.title(play.time.now)


def _segment_of(
    play: Play, event: StreamEvent, recorded: dict[tuple[int, EventType], StreamEvent]
) -> Segment:
    """The segment whose start or end an event is."""
    if event.source is Source.EVENTSUB:
        segment, event_type = play.delivered[event.id]
        assert event_type is event.event_type
        return segment
    candidates = [item for item in play.truth.segments if item.stream_id == event.stream_id]
    free = [item for item in candidates if (item.number, event.event_type) not in recorded]
    assert free, f"invented: {event.event_type} of {event.stream_id} at {event.timestamp}"
    # The first one that can be meant, and that is not before another of the stream's events.
    numbers = {item.number for item in candidates}
    last = max((number for number, _ in recorded if number in numbers), default=0)
    for segment in sorted(free, key=lambda item: (item.number < last, item.number)):
        earliest, latest = _bounds(play, segment, event.event_type)
        if earliest <= event.timestamp <= latest:
            return segment
    begun = [item for item in free if at(item.start - CLOCK) <= event.timestamp]
    return (begun or free[:1])[-1]


def _check_estimate(play: Play, segment: Segment, event: StreamEvent) -> None:
    earliest, latest = _bounds(play, segment, event.event_type)
    assert earliest <= event.timestamp <= latest, (
        f"{event.event_type} of {segment.stream_id} at {event.timestamp}, "
        f"not within {earliest} and {latest}"
    )


def _bounds(play: Play, segment: Segment, event_type: EventType) -> tuple[datetime, datetime]:
    """Between which times a poll dates the start or end of a segment. A start is the one that Helix
    names, cut to a second; a stream that resumes may be found an Helix lag, a refresh and an outage
    later. An end is no later than MIN_LENGTH after Helix showed the stream, and no earlier than the
    last time a poll saw it before."""
    plan = play.plan
    outage = sum(period.seconds for period in plan.outages)
    removed = sum(period.seconds for period in plan.removals)
    if event_type is EventType.ONLINE:
        earliest = min(segment.start, segment.named_start) - 1 - CLOCK
        latest = max(segment.start, segment.named_start) + CLOCK
        if segment.plan.resumes:
            waiting = HELIX_LAG.total_seconds() + plan.helix_lag + 2 * plan.refresh
            latest += waiting + outage + removed + 60
    else:
        seen = [now for now, stream_id in play.seen_live if stream_id == segment.stream_id]
        following = [item.start for item in play.truth.segments if item.start > segment.start]
        before = [
            now for now in seen if now < min(segment.end + plan.helix_lag, *following[:1], 1e8)
        ]
        earliest = (
            segment.start - 61
            if segment.plan.resumes
            else max(before, default=segment.start - 61) - CLOCK
        )
        latest = segment.end + plan.helix_lag + CLOCK + MIN_LENGTH.total_seconds()
        if segment.plan.start_skew < 0:
            latest = max(latest, segment.named_start + CLOCK)
    return at(earliest), at(min(latest, 1e8))


def _check_complete(play: Play, recorded: dict[tuple[int, EventType], StreamEvent]) -> None:
    """Nothing that was reported or seen is missing. Of a stream that resumes only what alternates
    is required: without the end between, two starts are one."""
    flaps = {item.stream_id for item in play.truth.segments if item.plan.resumes}
    seen = {stream_id for _, stream_id in play.seen_live}
    for segment in play.truth.segments:
        if segment.stream_id in flaps:
            continue
        reported = {kind for item, kind in play.delivered.values() if item == segment}
        has_start = (segment.number, EventType.ONLINE) in recorded
        assert has_start or not (EventType.ONLINE in reported or segment.stream_id in seen), (
            f"the start of {segment.stream_id} is missing"
        )
        has_end = (segment.number, EventType.OFFLINE) in recorded
        assert has_end or not (
            (EventType.OFFLINE in reported and not _is_like_another(play, segment))
            or (
                has_start and segment.end < play.time.now and not _took_end(play, segment, recorded)
            )
        ), f"the end of {segment.stream_id} is missing"


def _took_end(
    play: Play, segment: Segment, recorded: dict[tuple[int, EventType], StreamEvent]
) -> bool:
    """Whether a later end without a stream id, of a stream whose start was not observed, was taken
    for the end of this one."""
    after = play.truth.segments[segment.number + 1 :]
    for later in after:
        if (later.number, EventType.ONLINE) in recorded:
            return False
        end = recorded.get((later.number, EventType.OFFLINE))
        if end is not None and end.stream_id is None:
            return True
    return False


def _is_like_another(play: Play, segment: Segment) -> bool:
    """Whether the end of a segment lies within a minute of another end, so that the two were taken
    for messages about one: of the end before, where this one has no stream id, or of the end after,
    where that one has none and arrived first."""
    neighbours = play.truth.segments[max(segment.number - 1, 0) : segment.number + 2]
    return any(
        not (segment if other.number < segment.number else other).plan.names_offline
        for other in neighbours
        if other != segment and abs(segment.end - other.end) <= 62
    )


def _check_order(play: Play, recorded: dict[tuple[int, EventType], StreamEvent]) -> None:
    """By their times, starts and ends alternate; an end without its start may stand alone."""
    numbers = {event.id: number for (number, _), event in recorded.items()}

    def time(event: StreamEvent) -> datetime:
        """What a poll finds is up to the lag later than what follows it: the end that absences
        prove while Helix does not show the next stream yet, than the start of that one; the return
        of a stream, than its own end. And it is up to the skew earlier than a late message about
        the start."""
        lag = play.plan.helix_lag + CLOCK if event.source is Source.POLL else 0
        segment, *later = play.truth.segments[numbers[event.id] :]
        start = recorded.get((segment.number, EventType.ONLINE), event)
        skew = (start.timestamp - event.timestamp).total_seconds()
        if event.source is Source.POLL and 0 < skew <= segment.plan.start_skew:
            return start.timestamp
        if event.event_type is EventType.OFFLINE:
            following = [(item.start, max(item.start, item.named_start)) for item in later[:1]]
        else:
            has_ended = segment.plan.resumes and segment.end < float("inf")
            following = [(segment.end, segment.end)] if has_ended else []
        overlapped = [at(named) for true, named in following if at(true + lag) >= event.timestamp]
        return min([event.timestamp, *overlapped])

    events = sorted(
        recorded.values(),
        key=lambda event: (
            time(event),
            numbers[event.id],
            event.event_type is EventType.OFFLINE,
        ),
    )
    skewed = any(item.plan.start_skew < 0 for item in play.truth.segments)
    for before, after in pairwise(events):
        starts_twice = before.event_type is after.event_type is EventType.ONLINE
        assert not starts_twice or skewed, f"two starts in succession: {before.id}, {after.id}"


def check_feed(play: Play) -> None:
    """Whoever reads the feed, and lets events take the places of others, has the history."""
    current: dict[str, StreamEvent] = {}
    for entry in play.storage.feed.tail(None, 100_000).entries:
        assert entry.record is not None
        for event in entry.record.events:
            if event.replaces is not None:
                assert current.pop(event.replaces).event_type is event.event_type
            current[event.id] = event
    assert current == {event.id: event for event in play.history()}


def check_sessions(play: Play, recorded: dict[tuple[int, EventType], StreamEvent]) -> None:
    """A session for each stream whose start is in the history, with its times and figures."""
    sessions = {item.stream_id: item for item in play.analytics.sessions(USER_ID, 1000)}
    started = {
        segment.stream_id
        for segment in play.truth.segments
        if (segment.number, EventType.ONLINE) in recorded
    }
    assert sessions.keys() == started
    for session in sessions.values():
        _check_session(play, session, recorded)
    ordered = sorted(sessions.values(), key=lambda item: (item.started_at, item.stream_id))
    for before, after in pairwise(ordered):
        assert before.ended_at is not None, f"{before.stream_id} never ended"
        assert before.ended_at <= after.started_at, f"{before.stream_id} overlaps"
    if sessions:
        assert play.analytics.find(play.login) is not None
    if play.plan.renames and play.login != play.truth.login(0):
        assert play.analytics.find(play.truth.login(0)) is None


def _check_session(
    play: Play, session: StreamSession, recorded: dict[tuple[int, EventType], StreamEvent]
) -> None:
    segments = [item for item in play.truth.segments if item.stream_id == session.stream_id]
    first, last = segments[0], segments[-1]
    is_on = last.end > play.time.now
    assert (session.ended_at is None) == is_on, f"{session.stream_id} is wrongly ongoing or ended"
    earliest, latest = sorted((first.start, first.named_start))
    assert at(earliest - 1 - CLOCK) <= session.started_at <= at(latest + CLOCK)
    end = recorded.get((last.number, EventType.OFFLINE))
    if session.ended_at is not None and end is not None:
        assert (
            session.ended_at
            <= end.timestamp.replace(microsecond=end.timestamp.microsecond // 1000 * 1000)
            or last.plan.start_skew < 0
        )
    _check_figures(play, session, segments)


def _check_figures(play: Play, session: StreamSession, segments: list[Segment]) -> None:
    """The viewers of a stream are constant, so its average and peak are exact, and hours watched
    are never more than were watched, nor much less while we watched."""
    sums, viewers = session.sample_totals.sums, {item.plan.viewers for item in segments}
    assert 0 <= session.coverage <= 1
    assert sums.observed_ms <= session.airtime_ms
    if not sums.samples:
        return
    assert sums.max_viewers in viewers
    if len(viewers) == 1:
        [count] = viewers
        assert (sums.average, sums.viewer_ms) == (count, count * sums.observed_ms)
    plan = play.plan
    if len(segments) == 1 and not (plan.outages or plan.removals or plan.page_gaps):
        missing = 2 * plan.refresh + plan.helix_lag + 61 + CLOCK
        assert session.airtime_ms - sums.observed_ms <= missing * 1000
