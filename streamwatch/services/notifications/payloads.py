"""The JSON payloads of webhook deliveries."""

from collections.abc import Mapping
from datetime import datetime

from streamwatch.domain.models import Stream, Streamer, StreamEvent
from streamwatch.domain.times import format_time, parse_time
from streamwatch.services.documents import Document, event_document, stream_document

MAX_BODY_BYTES = 20_000
"""The bodies of webhook requests are smaller than this."""

_MAX_TEXT = 200
"""The length to which texts of an oversized event are cut."""


def payload(
    event: StreamEvent,
    event_type: str,
    streamer: Streamer | None,
    stream: Stream | None,
    session: Document | None,
) -> Document:
    """The payload of a delivery about `event`."""
    return {
        "type": event_type,
        "timestamp": format_time(event.timestamp),
        "data": {
            "event": event_document(event),
            "streamer": _streamer_document(event, streamer),
            "stream": stream_document(stream) if stream else None,
            "session": session,
        },
    }


def reduced(document: Document) -> Document:
    """A smaller form of a payload: without the session, and of the original event only short texts,
    numbers and lists of short texts."""
    data = document["data"]
    event = data["event"]
    original = {key: _short(value) for key, value in list(event["data"].items())[:40]}
    small = {key: value for key, value in original.items() if value is not None}
    return {**document, "data": {**data, "event": {**event, "data": small}, "session": None}}


def ended_session(session: Document, ended_at: datetime) -> Document:
    """A session with the end from its offline event, if the analytics have not processed it yet."""
    if session["ended_at"] is not None:
        return session
    airtime = ended_at - parse_time(session["started_at"])
    minutes = round(max(0.0, airtime.total_seconds()) / 60, 2)
    return {**session, "ended_at": format_time(ended_at), "duration_minutes": minutes}


def _streamer_document(event: StreamEvent, streamer: Streamer | None) -> Document:
    return {
        "user_id": event.broadcaster_id,
        "username": streamer.login if streamer else event.broadcaster_login,
        "display_name": streamer.display_name if streamer else event.broadcaster_name,
        "profile_image_url": streamer.profile_image_url if streamer else None,
        "tags": list(streamer.tags) if streamer else [],
    }


def _short(value: object) -> object:
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in list(value.items())[:10] if key}
    if isinstance(value, list):
        return [item[:_MAX_TEXT] for item in value[:10] if isinstance(item, str)]
    return None
