"""The JSON forms of the models, with the field names of the API: what is stored is what is served.

A `…_document` function gives a dict of JSON values; its counterpart reads one back. Stored
documents may carry more (a status its timeline); the API serves the rest as it stands.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NewType, Self

from streamwatch.domain.models import (
    EventType,
    Source,
    Stream,
    Streamer,
    StreamEvent,
    StreamSnapshot,
    StreamStart,
    StreamStatus,
    Subscription,
    Timeline,
    TimelineEntry,
    User,
)
from streamwatch.domain.times import format_time, formatted_time, parse_time

Document = dict[str, Any]

_EVENT_TYPES = {str(event_type): event_type for event_type in EventType}

Json = NewType("Json", bytes)
"""A document as it is answered."""

STORAGE = "storage"
TWITCH_API = "twitch_api"
"""The sources of a status: what is stored, or Twitch, asked for the sake of who asks."""


@dataclass(frozen=True, slots=True)
class JsonList:
    """Documents as they are answered: the JSON array of them, and how many they are."""

    array: Json
    count: int

    @classmethod
    def of(cls, documents: Sequence[Json]) -> Self:
        return cls(Json(b"[%b]" % b",".join(documents)), len(documents))


def to_json(document: Document) -> Json:
    return Json(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def streamer_document(streamer: Streamer) -> Document:
    return {
        "user_id": streamer.user_id,
        "username": streamer.login,
        "display_name": streamer.display_name,
        "profile_image_url": streamer.profile_image_url,
        "is_active": streamer.is_active,
        "online_subscription_id": streamer.online_subscription_id,
        "offline_subscription_id": streamer.offline_subscription_id,
        "added_at": format_time(streamer.added_at),
    }


def stored_streamer_document(streamer: Streamer) -> Document:
    """What is stored of a streamer: more than the API tells."""
    return {
        **streamer_document(streamer),
        "update_subscription_id": streamer.update_subscription_id,
        "signed_with": streamer.signed_with,
    }


def streamer_from(document: Document) -> Streamer:
    return Streamer(
        user_id=document["user_id"],
        login=document["username"],
        display_name=document["display_name"],
        added_at=formatted_time(document["added_at"]),
        online_subscription_id=document["online_subscription_id"],
        offline_subscription_id=document["offline_subscription_id"],
        signed_with=document.get("signed_with"),
        update_subscription_id=document.get("update_subscription_id"),
        profile_image_url=document.get("profile_image_url"),
    )


def stream_document(stream: Stream) -> Document:
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


def stream_from(document: Document) -> Stream:
    """A stream from our own document or from Helix's Get Streams, whose fields are named alike.

    Raises KeyError or ValueError where a field is missing or no time.
    """
    tags = document["tags"]
    return Stream(
        id=document["id"],
        started_at=parse_time(document["started_at"]),
        type=document["type"],
        viewer_count=document["viewer_count"],
        game_id=document["game_id"],
        game_name=document["game_name"],
        title=document["title"],
        language=document["language"],
        tags=None if tags is None else tuple(tags),
        thumbnail_url=document["thumbnail_url"],
    )


def status_document(status: StreamStatus, source: str = STORAGE) -> Document:
    return {
        "user_id": status.user_id,
        "username": status.login,
        "display_name": status.display_name,
        "is_live": status.is_live,
        "stream_data": stream_document(status.stream) if status.stream else None,
        "last_updated": format_time(status.last_updated),
        "last_event_type": status.last_event_type,
        "source": source,
    }


def status_memory(status: StreamStatus) -> Document:
    """The private part of a status: its timeline, and what polls have seen.

    Values are models and times as they are, for a storage to write as objects and in the form of
    `format_time`. Timeline entries are arrays without field names, since many are stored.
    """
    timeline = status.timeline
    return {
        "seen_at": status.seen_at,
        "absent_at": status.absent_at,
        "named_at": status.named_at,
        "latest": timeline.latest_start and tuple(timeline.latest_start),
        "on": timeline.is_on,
        "heard": [tuple(entry) for entry in timeline.last_entries],
        "marks": [tuple(entry) for entry in timeline.entries],
    }


def status_from(document: Document, memory: Document, version: int) -> StreamStatus:
    """A status from its document and `status_memory` as it was written."""
    stream, event_type = document["stream_data"], document["last_event_type"]
    return StreamStatus(
        user_id=document["user_id"],
        login=document["username"],
        display_name=document["display_name"],
        stream=stream_from(stream) if stream else None,
        last_updated=formatted_time(document["last_updated"]),
        last_event_type=EventType(event_type) if event_type else None,
        version=version,
        timeline=_timeline_from(memory),
        seen_at=_time_from(memory["seen_at"]),
        absent_at=_time_from(memory["absent_at"]),
        named_at=_time_from(memory.get("named_at")),
    )


def event_document(event: StreamEvent) -> Document:
    document: Document = {
        "id": event.id,
        "event_type": event.event_type,
        "broadcaster_id": event.broadcaster_id,
        "broadcaster_login": event.broadcaster_login,
        "broadcaster_name": event.broadcaster_name,
        "timestamp": format_time(event.timestamp),
        "data": event.data,
        "source": event.source,
    }
    if event.replaces is not None:
        document["replaces"] = event.replaces
    return document


def event_from(document: Document) -> StreamEvent:
    return StreamEvent(
        id=document["id"],
        event_type=EventType(document["event_type"]),
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        timestamp=formatted_time(document["timestamp"]),
        data=document["data"],
        source=Source(document["source"]),
        replaces=document.get("replaces"),
    )


def snapshot_document(snapshot: StreamSnapshot) -> Document:
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


def snapshot_from(document: Document) -> StreamSnapshot:
    return StreamSnapshot(
        stream_id=document["stream_id"],
        broadcaster_id=document["broadcaster_id"],
        broadcaster_login=document["broadcaster_login"],
        broadcaster_name=document["broadcaster_name"],
        captured_at=formatted_time(document["captured_at"]),
        started_at=formatted_time(document["started_at"]),
        viewer_count=document["viewer_count"],
        category_id=document["category_id"],
        category_name=document["category_name"],
        title=document["title"],
        language=document["language"],
        tags=tuple(document["tags"]),
    )


def subscription_document(subscription: Subscription) -> Document:
    return {
        "id": subscription.id,
        "type": subscription.type,
        "status": subscription.status,
        "condition": subscription.condition,
        "created_at": format_time(subscription.created_at),
        "cost": subscription.cost,
    }


def user_document(user: User) -> Document:
    return {
        "id": user.user_id,
        "login": user.login,
        "display_name": user.display_name,
        "profile_image_url": user.profile_image_url or "",
    }


def user_from(document: Document) -> User:
    """A user from our own document or from Helix's Get Users."""
    return User(
        user_id=document["id"],
        login=document["login"].lower(),
        display_name=document["display_name"],
        profile_image_url=document.get("profile_image_url") or None,
    )


def _timeline_from(memory: Document) -> Timeline:
    latest = memory["latest"]
    return Timeline(
        latest_start=StreamStart(latest[0], formatted_time(latest[1]), latest[2])
        if latest
        else None,
        is_on=memory["on"],
        last_entries=tuple(_entry_from(*row) for row in memory["heard"]),
        entries=tuple(_entry_from(*row) for row in memory["marks"]),
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
    if estimated_at is None and message_id.startswith("poll:"):  # as 0.1 stored an estimate
        estimated_at = at
    return TimelineEntry(
        formatted_time(at),
        _EVENT_TYPES[event_type],
        message_id,
        stream_id,
        formatted_time(started_at) if started_at else None,
        stream_type,
        event_from(suppressed_event) if suppressed_event else None,
        formatted_time(estimated_at) if estimated_at else None,
    )


def _time_from(text: str | None) -> Any:
    return formatted_time(text) if text else None
