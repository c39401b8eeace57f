"""EventSub messages, by webhook or WebSocket: from headers and bytes to a typed message or an
error. Pure.

The rules are Twitch's: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
"""

import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from streamwatch.domain.models import (
    EVENT_VERSIONS,
    ChannelInfo,
    EventType,
    Source,
    Stream,
    StreamEvent,
    Subscription,
)
from streamwatch.domain.observations import Updated, WentOffline, WentOnline
from streamwatch.domain.times import parse_start, parse_time

REPLAY_WINDOW = timedelta(minutes=10)
"""A message whose timestamp is further off than this is refused."""

MAX_BODY_BYTES = 64 * 1024

MAX_DEPTH = 32
"""How many objects and arrays of a body may be inside each other."""

LOGIN = re.compile(r"[A-Za-z0-9_]{1,25}", re.ASCII)

MESSAGE_ID = "Twitch-Eventsub-Message-Id"
MESSAGE_TYPE = "Twitch-Eventsub-Message-Type"
MESSAGE_TIMESTAMP = "Twitch-Eventsub-Message-Timestamp"
MESSAGE_SIGNATURE = "Twitch-Eventsub-Message-Signature"
HEADERS = (MESSAGE_ID, MESSAGE_TYPE, MESSAGE_TIMESTAMP, MESSAGE_SIGNATURE)
"""The headers that are read."""

ID = re.compile(r"[A-Za-z0-9_:.-]{1,64}", re.ASCII)
_MAX_MESSAGE_ID = 256
_MAX_INFO_LENGTH = 1024
"""The longest title, category or language, in characters. Twitch allows 140 for a title."""
_INT64 = 2**63


class EventSubError(Exception):
    """A message that is refused; the text says why and is safe to answer and to log."""


class ForgedMessage(EventSubError):
    """The signature is missing or wrong."""


class StaleMessage(EventSubError):
    """The message was sent outside the replay window, or its time cannot be read."""


class MalformedMessage(EventSubError):
    """The content of the message does not have the form that its type requires."""


@dataclass(frozen=True, slots=True)
class Notification:
    """An event of a subscription, as an observation."""

    message_id: str
    observation: WentOnline | WentOffline | Updated


@dataclass(frozen=True, slots=True)
class Verification:
    """Twitch verifies the callback. The answer must be exactly `challenge`."""

    challenge: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """Twitch ended a subscription; `subscription.status` says why."""

    subscription: Subscription


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message type or a subscription type that StreamWatch does not handle."""

    description: str


Message = Notification | Verification | Revocation | Unknown


def parse(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Message:
    """The message in `headers` (only HEADERS are read) and `body`.

    Raises ForgedMessage, StaleMessage or MalformedMessage, in this order of checks: the body is not
    parsed before its signature is verified.
    """
    message_id = headers.get(MESSAGE_ID, "")
    timestamp = headers.get(MESSAGE_TIMESTAMP, "")
    signature = headers.get(MESSAGE_SIGNATURE, "")
    if not is_signed(message_id, timestamp, body, signature, secrets):
        raise ForgedMessage("The signature is missing or wrong.")
    at = parse_sent_at(timestamp, now)
    return message_from(headers.get(MESSAGE_TYPE, ""), message_id, at, decode_object(body))


def message_from(kind: str, message_id: str, at: datetime, payload: dict[str, Any]) -> Message:
    """The authenticated message of type `kind`, sent `at`, with `payload`; the same by webhook and
    by WebSocket. Raises MalformedMessage."""
    if not message_id or len(message_id) > _MAX_MESSAGE_ID or not message_id.isprintable():
        raise MalformedMessage("The message id is empty, too long or not printable.")
    match kind:
        case "notification":
            return _notification(message_id, at, payload)
        case "webhook_callback_verification":
            return Verification(text_field(payload, "challenge", 4096))
        case "revocation":
            if "event" in payload:
                raise MalformedMessage("A revocation has no event.")
            return Revocation(subscription_from(object_field(payload, "subscription")))
        case _:
            return Unknown(f"message type {kind[:64]!r}")


def is_signed(
    message_id: str, timestamp: str, body: bytes, signature: str, secrets: Sequence[str]
) -> bool:
    """Whether one of `secrets` signed the message. Compares in constant time."""
    given = signature.encode("utf-8", "replace")
    results = [
        hmac.compare_digest(sign(message_id, timestamp, body, secret).encode(), given)
        for secret in secrets
    ]
    return any(results)


def sign(message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """The signature header's value: HMAC-SHA256 over id, timestamp and body as they were sent."""
    message = message_id.encode("latin-1", "replace") + timestamp.encode("latin-1", "replace")
    return "sha256=" + hmac.new(secret.encode(), message + body, "sha256").hexdigest()


def parse_sent_at(timestamp: str, now: datetime) -> datetime:
    """The time at which a message was sent. Raises StaleMessage outside the replay window."""
    try:
        at = parse_time(timestamp)
    except ValueError:
        raise StaleMessage("The message's timestamp is not an RFC 3339 time.") from None
    if abs(now - at) > REPLAY_WINDOW:
        raise StaleMessage("The message's timestamp is more than 10 minutes off.")
    return at


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises MalformedMessage for what cannot be stored."""
    try:
        text = body.decode()
        payload = _JSON.decode(text)
        _check_depth(payload)
        if "\\" in text:
            _check_texts(payload)
    except (ValueError, RecursionError):
        raise MalformedMessage("The body is not JSON that can be stored.") from None
    if not isinstance(payload, dict):
        raise MalformedMessage("The body is not a JSON object.")
    return payload


def _check_depth(payload: Any) -> None:
    """Refuse deeper nesting than MAX_DEPTH: other JSON libraries have limits of their own."""
    level = [payload]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            if isinstance(value, dict | list)
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def _int64(digits: str) -> int:
    value = int(digits)
    if not -_INT64 <= value < _INT64:
        raise ValueError("an integer of more than 64 bits")
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


_JSON = json.JSONDecoder(parse_int=_int64, parse_float=_finite, parse_constant=_finite)
"""Refuses values that Python's parser accepts, and databases or clients do not: NaN, infinities and
integers of more than 64 bits. `_check_texts` refuses the others."""


def _check_texts(value: Any) -> None:
    """Refuse lone surrogates and NUL, which JSON can contain only as escapes."""
    match value:
        case str():
            value.encode()
            if "\0" in value:
                raise ValueError("NUL")
        case list():
            for item in value:
                _check_texts(item)
        case dict():
            for key, item in value.items():
                _check_texts(key)
                _check_texts(item)


def _notification(message_id: str, at: datetime, payload: dict[str, Any]) -> Message:
    subscription = object_field(payload, "subscription")
    kind = text_field(subscription, "type")
    version = EVENT_VERSIONS.get(kind)
    if version is None or subscription.get("version", version) != version:
        return Unknown(f"subscription type {kind[:64]!r}")
    data = object_field(payload, "event")
    login = text_field(data, "broadcaster_user_login")
    if not LOGIN.fullmatch(login):
        raise MalformedMessage("broadcaster_user_login is not a login.")
    event = StreamEvent(
        id=message_id,
        event_type=EventType(kind),
        broadcaster_id=_id(data, "broadcaster_user_id"),
        broadcaster_login=login.lower(),
        broadcaster_name=text_field(data, "broadcaster_user_name"),
        timestamp=at,
        data=data,
        source=Source.EVENTSUB,
    )
    if event.event_type is EventType.ONLINE:
        stream = Stream(_id(data, "id"), _start(data, at), text_field(data, "type"))
        return Notification(message_id, WentOnline(event, stream))
    if event.event_type is EventType.UPDATE:
        return Notification(message_id, Updated(event, _channel_info(data)))
    if data.get("id") is not None:  # sent since June 2026; optional here
        _id(data, "id")
    return Notification(message_id, WentOffline(event))


def _channel_info(data: dict[str, Any]) -> ChannelInfo:
    """The values of a `channel.update`. All may be empty."""
    values = [data.get(name) for name in ChannelInfo._fields]
    texts = [value for value in values if isinstance(value, str) and len(value) <= _MAX_INFO_LENGTH]
    if len(texts) < len(values):
        raise MalformedMessage(
            f"title, category or language is not a string of at most {_MAX_INFO_LENGTH} characters."
        )
    return ChannelInfo(*texts)


def subscription_from(document: dict[str, Any]) -> Subscription:
    """Parse a subscription from a message or from Helix's list. Raises MalformedMessage."""
    transport = document.get("transport")
    transport = transport if isinstance(transport, dict) else {}
    callback, conduit_id = transport.get("callback"), transport.get("conduit_id")
    cost = document.get("cost", 0)
    return Subscription(
        id=text_field(document, "id"),
        type=text_field(document, "type"),
        version=text_field(document, "version"),
        status=text_field(document, "status"),
        condition=object_field(document, "condition"),
        callback=callback if isinstance(callback, str) else None,
        created_at=_time(document, "created_at"),
        cost=cost if isinstance(cost, int) else 0,
        conduit_id=conduit_id if isinstance(conduit_id, str) else None,
    )


def object_field(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The object in a field of `document`. Raises MalformedMessage."""
    value = document.get(name)
    if not isinstance(value, dict):
        raise MalformedMessage(f"{name} is not an object.")
    return value


def text_field(document: dict[str, Any], name: str, longest: int = 256) -> str:
    """The text in a field of `document`. Raises MalformedMessage if it is empty or too long."""
    value = document.get(name)
    if not isinstance(value, str) or not value or len(value) > longest:
        raise MalformedMessage(f"{name} is not a string of 1 to {longest} characters.")
    return value


def _id(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise MalformedMessage(f"{name} is not an id.")
    return value


def _time(document: dict[str, Any], name: str) -> datetime:
    try:
        return parse_time(text_field(document, name))
    except ValueError:
        raise MalformedMessage(f"{name} is not an RFC 3339 time.") from None


def _start(document: dict[str, Any], at: datetime) -> datetime:
    try:
        return parse_start(text_field(document, "started_at"), at)
    except ValueError:
        raise MalformedMessage("started_at is not a possible start of a stream.") from None
