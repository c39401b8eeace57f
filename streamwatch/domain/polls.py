"""The rules for polls: what an answer of Helix changes. Pure.

Helix lags behind by minutes, and can omit streams that are on. So a poll inserts an entry into the
timeline only where it proves a change, and the entry is an estimate: Twitch's own message takes its
place if it arrives after all.
"""

from dataclasses import replace
from datetime import datetime

from streamwatch.domain.models import (
    Change,
    ChannelEntry,
    ChannelInfo,
    EventType,
    Source,
    Stream,
    StreamEvent,
    StreamSnapshot,
    StreamStatus,
)
from streamwatch.domain.observations import SeenAbsent, SeenLive
from streamwatch.domain.replay import Replay, StreamState, is_superseded, replay
from streamwatch.domain.status_update import (
    StatusUpdate,
    estimated_end,
    estimated_event,
    last_seen_at,
    timeline_entry,
    with_info,
)
from streamwatch.domain.times import format_time
from streamwatch.domain.updates import HELIX_LAG, entry_at, is_contradicted


def seen_live(status: StreamStatus | None, seen: SeenLive) -> Change | None:
    """The change that a stream in an answer of Get Streams makes."""
    if status is not None and status.is_removed:
        return None
    update = StatusUpdate(
        status, StreamStatus(seen.user_id, seen.login, seen.display_name, None, seen.at)
    )
    state = replay(update.status.timeline)
    is_sample = _is_on(state, seen) and _is_new(update.status, seen)
    online_at = _online_time(state, seen)
    if online_at is not None:
        update.set_names(seen.login, seen.display_name, seen.at)
        _insert_online(update, seen, online_at)
        is_sample = _is_on(replay(update.status.timeline), seen)
    state = replay(update.status.timeline)
    if is_sample and state.live is not None:
        update.set_names(seen.login, seen.display_name, seen.at)
        update.touch(seen.at)
        _take_sample(update, seen, update.status.stream or state.live)
    return update.change() if is_sample or online_at is not None else None


def seen_absent(status: StreamStatus | None, seen: SeenAbsent) -> Change | None:
    """The change that a missing stream in an answer of Get Streams makes: two such answers, far
    enough apart, end the stream at the time when it was last seen."""
    if status is None:
        known = StreamStatus(seen.user_id, seen.login, seen.display_name, None, seen.at)
        return StatusUpdate(None, known).change()
    if status.is_removed:
        return None
    if status.is_returning:  # shows the status again, which is not live unless a poll has seen it
        return StatusUpdate(status, status).change()
    latest = replay(status.timeline).latest
    return _absence(status, latest, seen) if latest is not None else None


def keep_on(update: StatusUpdate, before: StreamStatus, ended_at: datetime) -> None:
    """Continue the stream of `before`, which a late message has ended at `ended_at`, if a poll saw
    it HELIX_LAG after that or later: then it was on again."""
    stream, seen_at = before.stream, before.seen_at
    was_ended = stream is not None and replay(update.status.timeline).live is None
    again_at = ended_at + HELIX_LAG
    if stream is None or seen_at is None or not was_ended or seen_at < again_at:
        return
    start = {"type": stream.type, "started_at": format_time(stream.started_at)}
    event = estimated_event(update.status, EventType.ONLINE, stream.id, again_at, start)
    update.insert(timeline_entry(event, stream), seen_at)
    if update.status.stream is not None:
        update.set(stream=stream, seen_at=seen_at, absent_at=before.absent_at)


def _absence(status: StreamStatus, state: StreamState, seen: SeenAbsent) -> Change | None:
    """The change that the absence of the latest stream makes."""
    if not state.is_on or state.online_at is None:
        return None
    seen_at = status.seen_at or last_seen_at(status, state.stream_id) or state.online_at
    seen_at = max(seen_at, state.online_at)
    if seen.at < state.online_at + HELIX_LAG or seen.at <= (status.absent_at or seen_at):
        return None
    update = StatusUpdate(status, status)
    if status.absent_at is None:
        update.set(absent_at=seen.at)
    elif seen.at - status.absent_at < seen.confirm_after:
        return None
    else:
        end = estimated_end(status, state.stream_id, seen_at, status.absent_at)
        update.insert(timeline_entry(end))
    update.touch(seen.at)
    return update.change()


def snapshot(seen: SeenLive) -> StreamSnapshot:
    """The stream as a snapshot: what a poll adds to the analytics."""
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


def _is_on(state: Replay, seen: SeenLive) -> bool:
    live = state.live
    return live is not None and live.id == seen.stream.id


def _is_new(status: StreamStatus, seen: SeenLive) -> bool:
    """Whether no later poll has seen the stream."""
    return status.stream is None or status.seen_at is None or seen.at > status.seen_at


def _online_time(state: Replay, seen: SeenLive) -> datetime | None:
    """The time of the online that a poll proves; None if the timeline has it.

    A stream that the timeline does not have went live at its start. A stream that ended is live
    again if an estimate ended it, or if Helix had the time to notice its end.
    """
    stream, known = seen.stream, state.streams.get(seen.stream.id)
    last = known.last if known else None
    if known is None or last is None:
        return min(stream.started_at, seen.at)
    if known.online_at is None:  # only its end is known, which the start precedes
        return min(stream.started_at, seen.at, known.ended_at or last.at)
    if last.type is EventType.ONLINE or is_superseded(stream, state.latest):
        return None
    if seen.at >= last.at + HELIX_LAG or (last.is_estimate and seen.at > last.at):
        return seen.at
    return None


def _insert_online(update: StatusUpdate, seen: SeenLive, at: datetime) -> None:
    stream = seen.stream
    start = {"type": stream.type, "started_at": format_time(stream.started_at)}
    event = estimated_event(update.status, EventType.ONLINE, stream.id, at, start, seen.source)
    update.insert(timeline_entry(event, stream), seen.at)


def _insert_update(update: StatusUpdate, seen: SeenLive) -> None:
    """Insert the title, category and language that a poll shows, where they are new."""
    stream, status = seen.stream, update.status
    if stream.title is None:
        return
    info = ChannelInfo(
        stream.title, stream.game_id or "", stream.game_name or "", stream.language or ""
    )
    if not is_contradicted(status.channel, info, seen.at):
        return
    event = StreamEvent(
        id=f"poll:{EventType.UPDATE}:{status.user_id}:{format_time(seen.at)}",
        event_type=EventType.UPDATE,
        broadcaster_id=status.user_id,
        broadcaster_login=status.login,
        broadcaster_name=status.display_name,
        timestamp=seen.at,
        data={
            "broadcaster_user_id": status.user_id,
            "broadcaster_user_login": status.login,
            "broadcaster_user_name": status.display_name,
            **info._asdict(),
        },
        source=Source.POLL,
    )
    update.insert_update(
        ChannelEntry(seen.at, info, event.id, is_estimate=True, suppressed_event=event)
    )


def _take_sample(update: StatusUpdate, seen: SeenLive, known: Stream) -> None:
    """Update the stream with what the poll shows. Its type stays that of its online message, unless
    Helix shows another type than live."""
    stream = seen.stream
    if stream.type in {"", "live"}:
        stream = replace(stream, type=known.type)
    _insert_update(update, seen)
    sampled, channel = stream, update.status.channel
    if channel and stream.title is not None:
        stream = with_info(stream, channel[-1].info)
        then = entry_at(channel, seen.at)
        sampled = with_info(stream, then.info) if then else sampled
    update.add_sample(snapshot(replace(seen, stream=sampled)))
    update.set(stream=stream, seen_at=seen.at, absent_at=None)
