"""The stored form of a status: lines with the version, the API's JSON, and the JSON of the rest."""

from datetime import datetime

import orjson

from streamwatch.domain.models import (
    ChannelEntry,
    ChannelInfo,
    EventType,
    Stream,
    StreamLastSeen,
    StreamStart,
    StreamStatus,
    Timeline,
    TimelineEntry,
)
from streamwatch.domain.times import format_time
from streamwatch.storage.base import Lookup
from streamwatch.storage.redis.codec.events import event_from
from streamwatch.storage.redis.codec.reading import Document, optional_time, reader

_EVENT_TYPES = {str(event_type): event_type for event_type in EventType}


def status_value(status: StreamStatus) -> bytes:
    shown = {
        "user_id": status.user_id,
        "username": status.login,
        "display_name": status.display_name,
        "is_live": status.is_live,
        "stream_data": _stream_document(status.stream) if status.stream else None,
        "last_updated": format_time(status.last_updated),
        "last_event_type": status.last_event_type,
        "source": "storage",
    }
    timeline = status.timeline
    rest = {
        "seen_at": status.seen_at,
        "absent_at": status.absent_at,
        "sights": [tuple(seen) for seen in status.last_seen],
        "named_at": status.named_at,
        "latest": timeline.latest_start and tuple(timeline.latest_start),
        "on": timeline.is_on,
        # Arrays without field names, since many are stored. orjson writes dataclasses, such as the
        # suppressed events, as objects; named tuples it does not write, so they become tuples.
        "heard": [tuple(entry) for entry in timeline.last_entries],
        "marks": [tuple(entry) for entry in timeline.entries],
        "channel": [(entry.at, tuple(entry.info), *entry[2:]) for entry in status.channel],
    }
    written = orjson.dumps(rest, option=orjson.OPT_UTC_Z)
    return b"%d\n%b\n%b" % (status.version, orjson.dumps(shown), written)


@reader
def read_status(value: bytes) -> StreamStatus:
    version, shown_json, rest_json = value.split(b"\n")
    shown: Document = orjson.loads(shown_json)
    rest: Document = orjson.loads(rest_json)
    stream, event_type = shown["stream_data"], shown["last_event_type"]
    return StreamStatus(
        user_id=shown["user_id"],
        login=shown["username"],
        display_name=shown["display_name"],
        stream=_stream_from(stream) if stream else None,
        last_updated=datetime.fromisoformat(shown["last_updated"]),
        last_event_type=EventType(event_type) if event_type else None,
        version=int(version),
        timeline=_timeline_from(rest),
        seen_at=optional_time(rest["seen_at"]),
        absent_at=optional_time(rest["absent_at"]),
        last_seen=tuple(_last_seen_from(*row) for row in rest.get("sights", ())),
        named_at=optional_time(rest.get("named_at")),
        channel=tuple(_channel_entry_from(*row) for row in rest.get("channel", ())),
    )


def lookup_value(lookup: Lookup) -> bytes:
    """The value of a status; empty if no Twitch user has the login."""
    return status_value(lookup.status) if lookup.status else b""


@reader
def read_lookup(login: str, value: bytes) -> Lookup:
    return Lookup(login, read_status(value) if value else None)


def _stream_document(stream: Stream) -> Document:
    return {
        "id": stream.id,
        "type": stream.type,
        "started_at": format_time(stream.started_at),
        "viewer_count": stream.viewer_count,
        "game_id": stream.game_id,
        "game_name": stream.game_name,
        "title": stream.title,
        "language": stream.language,
        "tags": None if stream.tags is None else list(stream.tags),
        "thumbnail_url": stream.thumbnail_url,
    }


def _stream_from(document: Document) -> Stream:
    tags = document["tags"]
    return Stream(
        id=document["id"],
        started_at=datetime.fromisoformat(document["started_at"]),
        type=document["type"],
        viewer_count=document["viewer_count"],
        game_id=document["game_id"],
        game_name=document["game_name"],
        title=document["title"],
        language=document["language"],
        tags=None if tags is None else tuple(tags),
        thumbnail_url=document["thumbnail_url"],
    )


def _timeline_from(document: Document) -> Timeline:
    latest = document["latest"]
    return Timeline(
        latest_start=StreamStart(latest[0], datetime.fromisoformat(latest[1]), latest[2])
        if latest
        else None,
        is_on=document["on"],
        last_entries=tuple(_entry_from(*row) for row in document["heard"]),
        entries=tuple(_entry_from(*row) for row in document["marks"]),
    )


def _last_seen_from(stream_id: str, at: str) -> StreamLastSeen:
    return StreamLastSeen(stream_id, datetime.fromisoformat(at))


def _channel_entry_from(
    at: str,
    info: list[str],
    message_id: str,
    is_estimate: bool,
    is_reported: bool,
    suppressed_event: Document | None,
) -> ChannelEntry:
    return ChannelEntry(
        datetime.fromisoformat(at),
        ChannelInfo(*info),
        message_id,
        is_estimate,
        is_reported,
        event_from(suppressed_event) if suppressed_event else None,
    )


def _entry_from(
    at: str,
    event_type: str,
    message_id: str,
    stream_id: str | None,
    started_at: str | None,
    stream_type: str,
    suppressed_event: Document | None,
    estimated_at: str | None = None,
) -> TimelineEntry:
    if estimated_at is None and message_id.startswith("poll:"):  # written by 0.1.0
        estimated_at = at
    return TimelineEntry(
        datetime.fromisoformat(at),
        _EVENT_TYPES[event_type],
        message_id,
        stream_id,
        optional_time(started_at),
        stream_type,
        event_from(suppressed_event) if suppressed_event else None,
        optional_time(estimated_at),
    )
