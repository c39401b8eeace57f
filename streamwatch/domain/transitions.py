"""The rules: what an observation of a streamer changes. Pure; no other module has such rules.

EventSub delivers messages at least once, late, and in any order (see docs/architecture.md). So no
decision depends on the order of arrival. Every online and offline is inserted into the streamer's
timeline at its own time, and the status is the result of replaying the timeline (see `timeline`).

Helix lags behind by minutes, and can omit streams that are on. So a poll inserts an entry only
where it proves a change.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.models import (
    Change,
    EventType,
    Source,
    Stream,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
    Timeline,
    TimelineEntry,
)
from streamwatch.domain.observations import (
    Observation,
    SeenAbsent,
    SeenLive,
    WentOffline,
    WentOnline,
)
from streamwatch.domain.timeline import insert, is_superseded, replay
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
            return _insert(status, event, _entry(event, stream))
        case WentOffline(event):
            return _insert(status, event, _entry(event))
        case SeenLive():
            return _seen_live(status, observation)
        case SeenAbsent():
            return _seen_absent(status, observation)


def is_late(before: StreamStatus | None, change: Change) -> bool:
    """Whether the change tells an event that leaves the streamer as live, or not, as they were."""
    stream = before.stream if before else None
    after = change.status.stream
    return bool(change.events) and (stream and stream.id) == (after and after.id)


def _entry(event: StreamEvent, stream: Stream | None = None) -> TimelineEntry:
    return TimelineEntry(
        at=event.timestamp,
        type=event.event_type,
        message_id=event.id,
        stream_id=event.stream_id,
        started_at=stream.started_at if stream else None,
        stream_type=stream.type if stream else "live",
        suppressed_event=event,
    )


def _insert(status: StreamStatus | None, event: StreamEvent, entry: TimelineEntry) -> Change | None:
    """The change that a message, or what a poll stands in for one, makes."""
    base = status or StreamStatus(
        event.broadcaster_id, event.broadcaster_login, event.broadcaster_name, None, event.timestamp
    )
    insertion = insert(base.timeline, entry)
    if insertion is None:
        return None
    continues = insertion.live and base.stream and insertion.live.id == base.stream.id
    return _change(
        status,
        base,
        event.broadcaster_login,
        event.broadcaster_name,
        event.timestamp,
        message_id=event.id if event.source is Source.EVENTSUB else None,
        events=insertion.events,
        stream=base.stream if continues else insertion.live,
        last_event_type=insertion.last_type,
        timeline=insertion.timeline,
        seen_at=base.seen_at if continues else None,
        absent_at=base.absent_at if continues and entry.type is EventType.OFFLINE else None,
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
    online_at = _online_time(status.timeline if status else Timeline(), seen)
    if online_at is not None:
        event = _event(seen, EventType.ONLINE, seen.stream, online_at)
        change = _insert(status, event, _entry(event, seen.stream))
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


def _online_time(timeline: Timeline, seen: SeenLive) -> datetime | None:
    """When a stream that a poll shows went on, as far as that is news; else None.

    A stream that was not heard of went on when it started. One that was heard to end is on again
    only if Helix had the time to notice its end.
    """
    state = replay(timeline)
    stream, before = seen.stream, state.last_entries.get(seen.stream.id)
    if before is None:
        return stream.started_at
    if before.type is EventType.ONLINE or is_superseded(stream, state.latest_start):
        return None
    if seen.at >= before.at + HELIX_LAG:
        return seen.at
    was_seen_on = state.latest_start is not None and state.latest_start.id == stream.id
    return None if was_seen_on else stream.started_at


def _seen_absent(status: StreamStatus | None, seen: SeenAbsent) -> Change | None:
    login, name = seen.login, seen.display_name
    if status is None:
        after = StreamStatus(seen.user_id, login, name, None, seen.at)
        return _change(None, after, login, name, seen.at)
    if status.stream is None:
        named = (status.login, status.display_name) == (login, name)
        return None if named else _change(status, status, login, name, seen.at)
    online_at = replay(status.timeline).last_entries[status.stream.id].at
    seen_at = max(status.seen_at or online_at, online_at)
    if seen.at < online_at + HELIX_LAG or seen.at <= (status.absent_at or seen_at):
        return None
    if status.absent_at is None:
        return _change(status, status, login, name, seen.at, absent_at=seen.at)
    event = _event(seen, EventType.OFFLINE, status.stream, seen_at)
    return _insert(status, event, _entry(event))


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
