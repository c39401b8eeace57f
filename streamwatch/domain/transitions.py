"""The rules: what an observation of a streamer changes. Pure; no storage has such rules.

EventSub delivers messages at least once, late, and in any order. So no decision depends on the
order of arrival: every online and offline is inserted into the streamer's timeline at its own time,
and the status is the result of replaying the timeline (see `timeline`). The rules for polls are in
`polls`.
"""

from streamwatch.domain import polls
from streamwatch.domain.models import (
    Change,
    ChannelEntry,
    ChannelInfo,
    Stream,
    StreamEvent,
    StreamStatus,
)
from streamwatch.domain.observations import (
    Observation,
    Removed,
    SeenAbsent,
    SeenLive,
    SeenNames,
    Updated,
    WentOffline,
    WentOnline,
)
from streamwatch.domain.replay import replay
from streamwatch.domain.status_update import StatusUpdate, timeline_entry


def decide(status: StreamStatus | None, observation: Observation) -> Change | None:
    """The change that `observation` makes to `status`, which is None for an unknown streamer.

    None where it changes nothing. The change of a duplicate has no events, but is stored: the time
    of the duplicate can matter to messages that arrive later.
    """
    match observation:
        case WentOnline(event, stream):
            change = _message(status, event, stream)
        case WentOffline(event):
            change = _message(status, event)
        case Updated(event, info):
            change = _updated(status, event, info)
        case SeenLive():
            change = polls.seen_live(status, observation)
        case SeenAbsent():
            change = polls.seen_absent(status, observation)
        case SeenNames():
            change = _seen_names(status, observation)
        case Removed():
            change = _removed(status, observation)
    return change


def is_late(before: StreamStatus | None, change: Change) -> bool:
    """Whether the change adds events to the history only, because their message arrived late: the
    live stream, and the newest title, category and language, are as before."""
    stream = before.stream if before else None
    after = change.status.stream
    is_same_stream = (stream and stream.id) == (after and after.id)
    channel = before.channel[-1:] if before else ()
    is_same_channel = [entry.info for entry in channel] == [
        entry.info for entry in change.status.channel[-1:]
    ]
    return bool(change.events) and is_same_stream and is_same_channel


def _message(
    status: StreamStatus | None, event: StreamEvent, stream: Stream | None = None
) -> Change | None:
    at, login, name = event.timestamp, event.broadcaster_login, event.broadcaster_name
    update = StatusUpdate(status, StreamStatus(event.broadcaster_id, login, name, None, at))
    update.set_names(login, name, at)
    if not update.insert(timeline_entry(event, stream)):
        return None
    if status is not None and stream is None:
        polls.keep_on(update, status, at)
    update.touch(at)
    return update.change(message_id=event.id)


def _updated(status: StreamStatus | None, event: StreamEvent, info: ChannelInfo) -> Change | None:
    at, login, name = event.timestamp, event.broadcaster_login, event.broadcaster_name
    update = StatusUpdate(status, StreamStatus(event.broadcaster_id, login, name, None, at))
    update.set_names(login, name, at)
    if not update.insert_update(ChannelEntry(at, info, event.id, suppressed_event=event)):
        return None
    update.touch(at)
    return update.change(message_id=event.id)


def _seen_names(status: StreamStatus | None, seen: SeenNames) -> Change | None:
    if status is None:
        return None
    update = StatusUpdate(status, status)
    update.set_names(seen.login, seen.display_name, seen.at)
    change = update.change()
    return change if change.name_change else None


def _removed(status: StreamStatus | None, removed: Removed) -> Change | None:
    """StreamWatch no longer monitors the streamer: the end of a live stream will not be observed. A
    streamer without a status gets one that is offline, so that the storage can mark it as removed.
    """
    if status is None:
        known = StreamStatus(removed.user_id, removed.login, removed.display_name, None, removed.at)
        return StatusUpdate(None, known).change()
    if replay(status.timeline).live is None or (status.is_removed and status.stream is None):
        return None
    update = StatusUpdate(status, status)
    update.set(stream=None, absent_at=None)
    update.touch(removed.at)
    update.end_monitoring(removed.at)
    return update.change()
