"""The JSON documents of notifications and deliveries, as the API returns them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from streamwatch.domain.notifications.models import (
    Conversation,
    Delivery,
    Document,
    Notification,
    TargetKind,
)
from streamwatch.domain.notifications.quiet_hours import QuietHours
from streamwatch.domain.times import format_time, parse_time

HIDDEN = "…"


def notification_document(
    notification: Notification, last: Delivery | None, logins: Mapping[str, str]
) -> Document:
    """A notification as the API returns it. `logins` are the current logins by user id."""
    return {
        "id": notification.id,
        **settings_document(notification, logins),
        "url": shown_url(notification.kind, notification.url),
        "created_at": format_time(notification.created_at),
        "last_delivery": delivery_document(last) if last else None,
    }


def settings_document(notification: Notification, logins: Mapping[str, str]) -> Document:
    """The settings of a notification, with the whole URL. `logins` are the current logins by user
    id."""
    quiet = notification.quiet_hours
    return {
        "name": notification.name,
        "kind": notification.kind,
        "url": notification.url,
        "enabled": notification.enabled,
        "events": list(notification.events),
        "streamers": [logins.get(s.user_id, s.login) for s in notification.streamers],
        "tags": list(notification.tags),
        "categories": list(notification.categories),
        "title_contains": list(notification.title_contains),
        "changed": list(notification.changed),
        "cooldown_minutes": notification.cooldown_minutes,
        "quiet_hours": quiet_hours_document(quiet) if quiet else None,
        "template": notification.template,
    }


def fields_from(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Notification from valid `settings`, except `url`, `enabled` and
    `streamers`."""
    quiet = settings["quiet_hours"]
    return {
        "name": settings["name"].strip(),
        "kind": TargetKind(settings["kind"]),
        "events": tuple(dict.fromkeys(settings["events"])),
        "tags": tuple(settings["tags"]),
        "categories": tuple(settings["categories"]),
        "title_contains": tuple(settings["title_contains"]),
        "changed": tuple(dict.fromkeys(settings["changed"])),
        "cooldown_minutes": settings["cooldown_minutes"],
        "quiet_hours": quiet_hours_from(quiet) if quiet else None,
        "template": settings["template"],
    }


def quiet_hours_document(quiet: QuietHours) -> Document:
    return {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}", "tz": quiet.tz}


def quiet_hours_from(document: Document) -> QuietHours:
    start, end = time.fromisoformat(document["start"]), time.fromisoformat(document["end"])
    return QuietHours(start, end, document["tz"])


def shown_url(kind: TargetKind, url: str) -> str:
    """The URL with `…` in place of its secrets. In a webhook's these are the user info, the query
    and the last part of the path, in Discord's the user info and the token, in Apprise's all after
    the scheme. "" for a notification without a URL, which was imported without secrets."""
    if not url:
        return ""
    if kind is TargetKind.APPRISE:
        return f"{url.partition('://')[0]}://{HIDDEN}"
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if path:
        path = f"{path.rpartition('/')[0]}/{HIDDEN}"
    query = HIDDEN if parts.query and kind is not TargetKind.DISCORD else ""
    return urlunsplit((parts.scheme, _hide_user_info(parts), path or parts.path, query, ""))


def _hide_user_info(parts: SplitResult) -> str:
    user_info, at, host = parts.netloc.rpartition("@")
    return f"{HIDDEN}@{host}" if at and user_info else parts.netloc


def delivery_document(delivery: Delivery) -> Document:
    """A delivery as the API returns it."""
    return {
        "id": delivery.id,
        "event_id": delivery.event.id,
        "event_type": delivery.event_type,
        "broadcaster_login": delivery.event.broadcaster_login,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "status_code": delivery.status_code,
        "error": delivery.error,
        "created_at": format_time(delivery.created_at),
        "next_attempt_at": _text(delivery.next_attempt_at),
        "delivered_at": _text(delivery.delivered_at),
    }


def conversation_document(conversation: Conversation) -> Document:
    return {
        "stream_id": conversation.stream_id,
        "announced_at": _text(conversation.announced_at),
        "message_id": conversation.message_id,
        "ended": conversation.ended,
        "earlier": dict(conversation.earlier),
        "unannounced": conversation.unannounced,
    }


def conversation_from(document: Document | None) -> Conversation:
    """A conversation as `conversation_document` wrote it; an empty one from None."""
    if document is None:
        return Conversation()
    fields: dict[str, Any] = dict(document)
    announced_at = _time(fields.pop("announced_at"))
    return replace(Conversation(**fields), announced_at=announced_at)


def _text(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
