"""Notifications, events and deliveries for tests. Times are seconds from START."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from streamwatch.domain.models import EventType, Source, StreamEvent
from streamwatch.domain.notifications.models import (
    OFFLINE,
    ONLINE,
    UPDATE,
    Delivery,
    Notification,
    TargetKind,
)

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def notification(kind: TargetKind = TargetKind.WEBHOOK, **fields: Any) -> Notification:
    values: dict[str, Any] = {
        "id": "n1",
        "name": "A target",
        "url": "https://example.com/hook",
        "created_at": START,
        "active_since": START,
    }
    return Notification(kind=kind, **values | fields)


def event(
    event_type: str, seconds: float = 0, *, stream_id: str | None = "s1", **fields: Any
) -> StreamEvent:
    """An event of the streamer Ann, user id 1."""
    values: dict[str, Any] = {
        "id": f"{event_type}-{stream_id}-{seconds}",
        "broadcaster_id": "1",
        "broadcaster_login": "ann",
        "broadcaster_name": "Ann",
        "data": {} if stream_id is None else {"id": stream_id},
        "source": Source.EVENTSUB,
    }
    known = EventType.ONLINE if event_type == UPDATE else EventType(event_type)
    made = StreamEvent(event_type=known, timestamp=at(seconds), **values | fields)
    if event_type == UPDATE:
        object.__setattr__(made, "event_type", UPDATE)
    return made


def online(seconds: float = 0, stream_id: str = "s1", **fields: Any) -> StreamEvent:
    return event(ONLINE, seconds, stream_id=stream_id, **fields)


def offline(seconds: float = 0, stream_id: str | None = "s1", **fields: Any) -> StreamEvent:
    return event(OFFLINE, seconds, stream_id=stream_id, **fields)


def update(seconds: float = 0, *changed: str, **data: Any) -> StreamEvent:
    return event(
        UPDATE, seconds, stream_id=None, data={"changed": list(changed or ("title",)), **data}
    )


def delivery(made_of: StreamEvent, **fields: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": f"d-{made_of.id}",
        "notification_id": "n1",
        "event_type": made_of.event_type,
        "event": made_of,
        "stream_id": made_of.stream_id,
        "lane": made_of.broadcaster_id,
        "created_at": made_of.timestamp,
        "next_attempt_at": made_of.timestamp,
    }
    return replace(Delivery(**values), **fields)
