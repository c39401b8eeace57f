"""The stored forms of events, of snapshots, and of the feed's records: JSON."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

import orjson

from streamwatch.domain.models import (
    EventType,
    MonitoringEnd,
    NameChange,
    Source,
    StreamEvent,
    StreamSnapshot,
)
from streamwatch.domain.times import format_time
from streamwatch.storage.base import DeadLetter, FeedRecord, UnreadableRecord
from streamwatch.storage.redis.codec.reading import (
    Document,
    reader,
    time_from,
)


def event_value(event: StreamEvent) -> bytes:
    return orjson.dumps(event_document(event))


def event_document(event: StreamEvent) -> Document:
    replaces = {} if event.replaces is None else {"replaces": event.replaces}
    return {
        "id": event.id,
        "event_type": event.event_type,
        "broadcaster_id": event.broadcaster_id,
        "broadcaster_login": event.broadcaster_login,
        "broadcaster_name": event.broadcaster_name,
        "timestamp": format_time(event.timestamp),
        "data": event.data,
        "source": event.source,
        **replaces,
    }


@reader
def read_event(value: bytes) -> StreamEvent:
    return event_from(orjson.loads(value))


def history_value(event: StreamEvent, value: bytes) -> bytes:
    """The entry of a history for `event`, whose `event_value` is `value`. Redis sorts entries of
    the same time as bytes, so they begin with the id of the event's position."""
    if event.replaces is None:
        return value
    return b'%b,"event":%b}' % (history_start(event.replaces), value)


def history_start(event_id: str) -> bytes:
    """The beginning of an entry of a history whose position has this id."""
    return orjson.dumps({"id": event_id})[:-1]


@reader
def read_history_event(value: bytes, score: float) -> StreamEvent:
    """The event of an entry of a history."""
    document = orjson.loads(value)
    if "event" not in document:
        return event_from(document)
    return replace(event_from(document["event"]), replaced_at=time_from(score))


def event_from(document: Document) -> StreamEvent:
    return StreamEvent(
        id=document["id"],
        event_type=EventType(document["event_type"]),
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        timestamp=datetime.fromisoformat(document["timestamp"]),
        data=document["data"],
        source=Source(document["source"]),
        replaces=document.get("replaces"),
    )


def record_value(record: FeedRecord, event_values: Sequence[bytes]) -> bytes:
    """A record of the feed. `event_values` are its events, written by `event_value`."""
    snapshot = record.snapshot
    document: Document = {
        "user_id": record.user_id,
        "events": [orjson.Fragment(value) for value in event_values],
        "snapshot": _snapshot_document(snapshot) if snapshot else None,
    }
    if record.name_change is not None:
        document["name_change"] = asdict(record.name_change)
    if record.monitoring_end is not None:
        document["watch_end"] = asdict(record.monitoring_end)
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


@reader
def read_record(value: bytes) -> FeedRecord:
    document: Document = orjson.loads(value)
    snapshot, end = document["snapshot"], document.get("watch_end")
    renamed = document.get("name_change")
    return FeedRecord(
        user_id=document["user_id"],
        events=tuple(event_from(event) for event in document["events"]),
        snapshot=_snapshot_from(snapshot) if snapshot else None,
        name_change=NameChange(**renamed | {"at": _time_in(renamed)}) if renamed else None,
        monitoring_end=MonitoringEnd(**end | {"at": _time_in(end)}) if end else None,
    )


def _time_in(document: Document) -> datetime:
    return datetime.fromisoformat(document["at"])


def failure_value(error: str, at: datetime) -> bytes:
    """The error of a dead letter; the script appends the entry's record."""
    return orjson.dumps({"error": error, "at": format_time(at)})


@reader
def read_dead_letter(reader_name: str, entry_id: bytes, value: bytes) -> DeadLetter:
    failure, record = value.split(b"\n")
    document: Document = orjson.loads(failure)
    return DeadLetter(
        id=entry_id.decode(),
        reader=reader_name,
        error=document["error"],
        at=datetime.fromisoformat(document["at"]),
        record=_record_if_readable(record),
    )


def _record_if_readable(value: bytes) -> FeedRecord | None:
    try:
        return read_record(value)
    except UnreadableRecord:  # perhaps the reason why the entry is a dead letter
        return None


def _snapshot_document(snapshot: StreamSnapshot) -> Document:
    return {
        "stream_id": snapshot.stream_id,
        "broadcaster_id": snapshot.broadcaster_id,
        "broadcaster_login": snapshot.broadcaster_login,
        "broadcaster_name": snapshot.broadcaster_name,
        "captured_at": format_time(snapshot.captured_at),
        "started_at": format_time(snapshot.started_at),
        "viewer_count": snapshot.viewer_count,
        "category_id": snapshot.category_id,
        "category_name": snapshot.category_name,
        "title": snapshot.title,
        "language": snapshot.language,
        "tags": list(snapshot.tags),
    }


def _snapshot_from(document: Document) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=document["stream_id"],
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        captured_at=datetime.fromisoformat(document["captured_at"]),
        started_at=datetime.fromisoformat(document["started_at"]),
        viewer_count=document["viewer_count"],
        category_id=document["category_id"],
        category_name=document["category_name"],
        title=document["title"],
        language=document["language"],
        tags=tuple(document["tags"]),
    )
