"""EventSub messages as Twitch sends them: signed headers and a body."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from streamwatch.domain.eventsub import sign
from streamwatch.domain.models import EVENT_VERSIONS, User
from streamwatch.domain.times import format_time

SECRET = "a-secret-for-the-tests"
COOL_USER = User("1337", "cool_user", "Cool_User")
CALLBACK = "https://example.com/webhooks/eventsub"


class Message(NamedTuple):
    headers: dict[str, str]
    body: bytes


def message(
    kind: str,
    payload: dict[str, Any] | bytes,
    *,
    message_id: str | None = None,
    at: datetime | None = None,
    secret: str = SECRET,
) -> Message:
    """A message of `kind`, sent `at` (now)."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    message_id = message_id or str(uuid4())
    timestamp = format_time(at or datetime.now(UTC))
    headers = {
        "Content-Type": "application/json",
        "Twitch-Eventsub-Message-Id": message_id,
        "Twitch-Eventsub-Message-Retry": "0",
        "Twitch-Eventsub-Message-Type": kind,
        "Twitch-Eventsub-Message-Timestamp": timestamp,
        "Twitch-Eventsub-Message-Signature": sign(message_id, timestamp, body, secret),
    }
    return Message(headers, body)


def online(
    user: User = COOL_USER,
    stream_id: str = "9001",
    *,
    started_at: datetime | None = None,
    stream_type: str = "live",
    **sending: Any,
) -> Message:
    """`stream.online` for `user`. `sending` is as in `message`."""
    event = {
        "id": stream_id,
        **_broadcaster(user),
        "type": stream_type,
        "started_at": format_time(started_at or sending.get("at") or datetime.now(UTC)),
    }
    return notification("stream.online", event, **sending)


def offline(user: User = COOL_USER, stream_id: str | None = "9001", **sending: Any) -> Message:
    """`stream.offline` for `user`. None omits the stream id."""
    named = {} if stream_id is None else {"id": stream_id}
    return notification("stream.offline", named | _broadcaster(user), **sending)


def update(
    user: User = COOL_USER,
    title: str = "Best Stream Ever",
    category: tuple[str, str] = ("12453", "Grand Theft Auto"),
    language: str = "en",
    **sending: Any,
) -> Message:
    """`channel.update` for `user`."""
    event = {
        **_broadcaster(user),
        "title": title,
        "language": language,
        "category_id": category[0],
        "category_name": category[1],
        "content_classification_labels": ["MatureGame"],
    }
    return notification("channel.update", event, **sending)


def notification(event_type: str, event: dict[str, Any], **sending: Any) -> Message:
    user_id = str(event.get("broadcaster_user_id", ""))
    version = EVENT_VERSIONS.get(event_type, "1")
    payload = {"subscription": subscription(event_type, user_id, version=version), "event": event}
    return message("notification", payload, **sending)


def verification(challenge: str = "pogchamp-kappa-360noscope-vohiyo", **sending: Any) -> Message:
    status = "webhook_callback_verification_pending"
    pending = subscription("stream.online", COOL_USER.user_id, status=status)
    payload = {"challenge": challenge, "subscription": pending}
    return message("webhook_callback_verification", payload, **sending)


def revocation(
    user: User = COOL_USER,
    event_type: str = "stream.online",
    *,
    subscription_id: str = "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
    status: str = "user_removed",
    **sending: Any,
) -> Message:
    revoked = subscription(event_type, user.user_id, status=status, id=subscription_id)
    return message("revocation", {"subscription": revoked}, **sending)


def subscription(event_type: str, user_id: str, **changes: Any) -> dict[str, Any]:
    """A subscription as messages carry it."""
    return {
        "id": "f1c2a387-161a-49f9-a165-0f21d7a4e1c4",
        "type": event_type,
        "version": "1",
        "status": "enabled",
        "cost": 0,
        "condition": {"broadcaster_user_id": user_id},
        "transport": {"method": "webhook", "callback": CALLBACK},
        "created_at": "2019-11-16T10:11:12.634234626Z",
    } | changes


def _broadcaster(user: User) -> dict[str, Any]:
    return {
        "broadcaster_user_id": user.user_id,
        "broadcaster_user_login": user.login,
        "broadcaster_user_name": user.display_name,
    }
