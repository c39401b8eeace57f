"""Deliveries for programs (webhooks): at once and complete."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from streamwatch.domain.documents import Document, event_document, stream_document
from streamwatch.domain.models import Stream, Streamer, StreamEvent
from streamwatch.domain.notifications.actions import Action, Send
from streamwatch.domain.notifications.models import Delivery, Notification, Situation
from streamwatch.domain.notifications.waiting import filtered
from streamwatch.domain.times import format_time, parse_time

MAX_BODY_BYTES = 20_000
"""A body is smaller than this."""

_MAX_TEXT = 200
"""The length to which texts of an oversized event are cut."""


def decide(
    notification: Notification, delivery: Delivery, situation: Situation, now: datetime
) -> Action:
    """What to do with a delivery that is due. Filters count until the body is made."""
    if delivery.body is not None:
        return Send()
    return filtered(notification, delivery, situation.details, now) or Send()


def payload(
    event: StreamEvent,
    event_type: str,
    streamer: Streamer | None,
    stream: Stream | None,
    session: Document | None,
) -> Document:
    """What a webhook is sent about an event."""
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
    """A payload that is too large, without the parts that can be: the session, and whatever of the
    original event is not a short text, number or list of short texts."""
    data = document["data"]
    event = data["event"]
    original = {key: _short(value) for key, value in list(event["data"].items())[:40]}
    small = {key: value for key, value in original.items() if value is not None}
    return {**document, "data": {**data, "event": {**event, "data": small}, "session": None}}


def ended_session(session: Document, ended_at: datetime) -> Document:
    """A session with the end that an event says, which the analytics may not have read yet."""
    if session["ended_at"] is not None:
        return session
    airtime = ended_at - parse_time(session["started_at"])
    minutes = round(max(0.0, airtime.total_seconds()) / 60, 2)
    return {**session, "ended_at": format_time(ended_at), "duration_minutes": minutes}


def _streamer_document(event: StreamEvent, streamer: Streamer | None) -> Document:
    known: Any = streamer
    return {
        "user_id": event.broadcaster_id,
        "username": streamer.login if streamer else event.broadcaster_login,
        "display_name": streamer.display_name if streamer else event.broadcaster_name,
        "profile_image_url": getattr(known, "profile_image_url", None),
        "tags": list(getattr(known, "tags", ())),
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
