"""The rules: what an observation of a streamer changes. Pure; the only place that has them.

Messages come doubled, late and out of order (twitch-facts: "delivery is at least once", "order is
not guaranteed"). So nothing is decided by the order of arrival: every "went on" and "went off" gets
its place on the streamer's timeline by its own time, and the status is what replaying the timeline
ends with (see `timeline`).

Polls lag behind by minutes, and Helix leaves out streams that are on. So a poll adds a mark only
for what it shows beyond doubt.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.models import (
    Change,
    EventType,
    Mark,
    Source,
    Stream,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
    Timeline,
)
from streamwatch.domain.observations import (
    Observation,
    SeenAbsent,
    SeenLive,
    WentOffline,
    WentOnline,
)
from streamwatch.domain.timeline import is_superseded, place, replay
from streamwatch.domain.times import format_time

HELIX_LAG = timedelta(minutes=5)
"""For how long after an event Get Streams may still show what was before it."""


def decide(status: StreamStatus | None, observation: Observation) -> Change | None:
    """What `observation` changes in what is known of its streamer; None where it changes nothing.

    `status` is None for a streamer of whom nothing is known. A change without events is a
    duplicate, kept because its time may matter to messages that are still under way.
    """
    match observation:
        case WentOnline(event, stream):
            return _went(status, event, _mark(event, stream))
        case WentOffline(event):
            return _went(status, event, _mark(event))
        case SeenLive():
            return _seen_live(status, observation)
        case SeenAbsent():
            return _seen_absent(status, observation)


def is_late(before: StreamStatus | None, change: Change) -> bool:
    """Whether the change tells an event that leaves the streamer as live, or not, as they were."""
    stream = before.stream if before else None
    after = change.status.stream
    return bool(change.events) and (stream and stream.id) == (after and after.id)


def _mark(event: StreamEvent, stream: Stream | None = None) -> Mark:
    return Mark(
        at=event.timestamp,
        type=event.event_type,
        message_id=event.id,
        stream_id=event.stream_id,
        started_at=stream.started_at if stream else None,
        stream_type=stream.type if stream else "live",
        withheld=event,
    )


def _went(status: StreamStatus | None, event: StreamEvent, mark: Mark) -> Change | None:
    """The change that a message, or what a poll stands in for one, makes."""
    base = status or StreamStatus(
        event.broadcaster_id, event.broadcaster_login, event.broadcaster_name, None, event.timestamp
    )
    placed = place(base.timeline, mark)
    if placed is None:
        return None
    goes_on = placed.live and base.stream and placed.live.id == base.stream.id
    return _change(
        status,
        base,
        event.broadcaster_login,
        event.broadcaster_name,
        event.timestamp,
        message_id=event.id if event.source is Source.EVENTSUB else None,
        events=placed.events,
        stream=base.stream if goes_on else placed.live,
        last_event_type=placed.last_type,
        timeline=placed.timeline,
        seen_at=base.seen_at if goes_on else None,
        absent_at=base.absent_at if goes_on and mark.type is EventType.OFFLINE else None,
    )


def _change(
    status: StreamStatus | None,
    known: StreamStatus,
    login: str,
    display_name: str,
    at: datetime,
    *,
    message_id: str | None = None,
    events: tuple[StreamEvent, ...] = (),
    snapshot: StreamSnapshot | None = None,
    **fields: Any,
) -> Change:
    """The change from `status` to `known` with other `fields`, and with the names that were heard
    at `at` unless later ones are known."""
    version = status.version if status else 0
    if status is None or at >= status.last_updated:
        fields |= {"login": login, "display_name": display_name, "last_updated": at}
    after = replace(known, version=version + 1, **fields)
    return Change(
        status=after,
        base_version=version,
        previous_login=status.login if status and status.login != after.login else None,
        message_id=message_id,
        events=events,
        snapshot=snapshot,
    )


def _seen_live(status: StreamStatus | None, seen: SeenLive) -> Change | None:
    change: Change | None = None
    went_on_at = _went_on_at(status.timeline if status else Timeline(), seen)
    if went_on_at is not None:
        event = _event(seen, EventType.ONLINE, seen.stream, went_on_at)
        change = _went(status, event, _mark(event, seen.stream))
    known = change.status if change else status
    if known is None or known.stream is None or known.stream.id != seen.stream.id:
        return change
    if known.seen_at is not None and seen.at <= known.seen_at:
        return change
    return _change(
        status,
        known,
        seen.login,
        seen.display_name,
        seen.at,
        events=change.events if change else (),
        snapshot=snapshot(seen),
        stream=seen.stream,
        seen_at=seen.at,
        absent_at=None,
    )


def _went_on_at(timeline: Timeline, seen: SeenLive) -> datetime | None:
    """When a stream that a poll shows went on, as far as that is news; else None.

    A stream that was not heard of went on when it started. One that was heard to end is on again
    only if Helix had the time to notice its end.
    """
    state = replay(timeline)
    stream, before = seen.stream, state.heard.get(seen.stream.id)
    if before is None:
        return stream.started_at
    if before.type is EventType.ONLINE or is_superseded(stream, state.latest):
        return None
    if seen.at >= before.at + HELIX_LAG:
        return seen.at
    was_seen_on = state.latest is not None and state.latest.id == stream.id
    return None if was_seen_on else stream.started_at


def _seen_absent(status: StreamStatus | None, seen: SeenAbsent) -> Change | None:
    login, name = seen.login, seen.display_name
    if status is None:
        after = StreamStatus(seen.user_id, login, name, None, seen.at)
        return _change(None, after, login, name, seen.at)
    if status.stream is None:
        named = (status.login, status.display_name) == (login, name)
        return None if named else _change(status, status, login, name, seen.at)
    went_on_at = replay(status.timeline).heard[status.stream.id].at
    seen_at = max(status.seen_at or went_on_at, went_on_at)
    if seen.at < went_on_at + HELIX_LAG or seen.at <= (status.absent_at or seen_at):
        return None
    if status.absent_at is None:
        return _change(status, status, login, name, seen.at, absent_at=seen.at)
    event = _event(seen, EventType.OFFLINE, status.stream, seen_at)
    return _went(status, event, _mark(event))


def _event(
    seen: SeenLive | SeenAbsent, event_type: EventType, stream: Stream, at: datetime
) -> StreamEvent:
    """The event that a poll stands in for, in the form of the message that was missed."""
    data: dict[str, object] = {
        "id": stream.id,
        "broadcaster_user_id": seen.user_id,
        "broadcaster_user_login": seen.login,
        "broadcaster_user_name": seen.display_name,
    }
    if event_type is EventType.ONLINE:
        data |= {"type": stream.type, "started_at": format_time(stream.started_at)}
    return StreamEvent(
        id=f"poll:{event_type}:{stream.id}:{format_time(at)}",
        event_type=event_type,
        broadcaster_id=seen.user_id,
        broadcaster_login=seen.login,
        broadcaster_name=seen.display_name,
        timestamp=at,
        data=data,
        source=seen.source if isinstance(seen, SeenLive) else Source.POLL,
    )


def snapshot(seen: SeenLive) -> StreamSnapshot:
    """The sample that a poll leaves in the analytics."""
    stream = seen.stream
    return StreamSnapshot(
        stream_id=stream.id,
        broadcaster_id=seen.user_id,
        broadcaster_login=seen.login,
        broadcaster_name=seen.display_name,
        captured_at=seen.at,
        started_at=stream.started_at,
        viewer_count=stream.viewer_count or 0,
        category_id=stream.game_id,
        category_name=stream.game_name,
        title=stream.title,
        language=stream.language,
        tags=stream.tags or (),
    )
