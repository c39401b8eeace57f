"""The stored forms of notifications and deliveries: JSON, after lines that scripts read."""

from datetime import datetime

import orjson

from streamwatch.domain.notifications.documents import (
    delivery_document,
    quiet_hours_from,
    settings_document,
)
from streamwatch.domain.notifications.models import (
    Delivery,
    DeliveryStatus,
    Document,
    Notification,
    SigningSecret,
    TargetKind,
    WatchedStreamer,
)
from streamwatch.domain.times import format_time
from streamwatch.storage.redis.codec.events import event_document, event_from
from streamwatch.storage.redis.codec.reading import optional_time, reader


def notification_value(notification: Notification) -> bytes:
    document = orjson.dumps(_notification_document(notification))
    return b"%d\n%b" % (notification.version, document)


@reader
def read_notification(value: bytes) -> Notification:
    version, document = value.split(b"\n")
    return _notification_from(orjson.loads(document), int(version))


def delivery_value(delivery: Delivery) -> bytes:
    document = orjson.dumps(_delivery_document(delivery))
    return b"%d\n%b\n%b" % (delivery.version, delivery.lane.encode(), document)


@reader
def read_delivery(value: bytes) -> Delivery:
    version, _, document = value.split(b"\n")
    return _delivery_from(orjson.loads(document), int(version))


def state_value(state: Document) -> bytes:
    return orjson.dumps(state)


@reader
def read_state(value: bytes) -> Document:
    document: Document = orjson.loads(value)
    return document


def _notification_document(notification: Notification) -> Document:
    """All fields of a notification except its version, which is a line of its own."""
    return {
        **settings_document(notification, {}),
        "id": notification.id,
        "streamers": [[s.user_id, s.login] for s in notification.streamers],
        "created_at": format_time(notification.created_at),
        "active_since": format_time(notification.active_since),
        "disabled_reason": notification.disabled_reason,
        "secrets": [[s.value, _optional_text(s.expires_at)] for s in notification.secrets],
    }


def _notification_from(document: Document, version: int) -> Notification:
    """The inverse of `_notification_document`."""
    quiet = document["quiet_hours"]
    return Notification(
        id=document["id"],
        name=document["name"],
        kind=TargetKind(document["kind"]),
        url=document["url"],
        created_at=datetime.fromisoformat(document["created_at"]),
        active_since=datetime.fromisoformat(document["active_since"]),
        enabled=document["enabled"],
        disabled_reason=document["disabled_reason"],
        events=tuple(document["events"]),
        streamers=tuple(WatchedStreamer(*entry) for entry in document["streamers"]),
        tags=tuple(document["tags"]),
        categories=tuple(document["categories"]),
        title_contains=tuple(document["title_contains"]),
        changed=tuple(document["changed"]),
        cooldown_minutes=document["cooldown_minutes"],
        quiet_hours=quiet_hours_from(quiet) if quiet else None,
        template=document["template"],
        secrets=tuple(SigningSecret(value, optional_time(at)) for value, at in document["secrets"]),
        version=version,
    )


def _delivery_document(delivery: Delivery) -> Document:
    """All fields of a delivery except its version, which is a line of its own."""
    return {
        **delivery_document(delivery),
        "notification_id": delivery.notification_id,
        "event": event_document(delivery.event),
        "stream_id": delivery.stream_id,
        "lane": delivery.lane,
        "first_attempt_at": _optional_text(delivery.first_attempt_at),
        "body": delivery.body,
        "forced": delivery.forced,
        "did_not_last": delivery.did_not_last,
        "edit_refused": delivery.edit_refused,
    }


def _delivery_from(document: Document, version: int) -> Delivery:
    """The inverse of `_delivery_document`."""
    return Delivery(
        id=document["id"],
        notification_id=document["notification_id"],
        event_type=document["event_type"],
        event=event_from(document["event"]),
        stream_id=document["stream_id"],
        lane=document["lane"],
        created_at=datetime.fromisoformat(document["created_at"]),
        next_attempt_at=optional_time(document["next_attempt_at"]),
        status=DeliveryStatus(document["status"]),
        attempts=document["attempts"],
        status_code=document["status_code"],
        error=document["error"],
        first_attempt_at=optional_time(document["first_attempt_at"]),
        delivered_at=optional_time(document["delivered_at"]),
        body=document["body"],
        forced=document["forced"],
        did_not_last=document["did_not_last"],
        edit_refused=document["edit_refused"],
        version=version,
    )


def _optional_text(time: datetime | None) -> str | None:
    return format_time(time) if time else None
