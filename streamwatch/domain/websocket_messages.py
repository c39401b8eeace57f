"""Parses the messages of EventSub's WebSocket. Pure.

The format is Twitch's: https://dev.twitch.tv/docs/eventsub/websocket-reference/
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from streamwatch.domain.eventsub import (
    MAX_BODY_BYTES,
    MalformedMessage,
    Message,
    Unknown,
    decode_object,
    message_from,
    object_field,
    parse_sent_at,
    text_field,
)

MAX_MESSAGE_BYTES = MAX_BODY_BYTES + 4096
"""The payload of the largest webhook message, and its metadata."""

MAX_KEEPALIVE_SECONDS = 600

_SESSION_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_RECONNECT_URL = re.compile(r"wss?://[!-~]{1,2048}", re.ASCII)
_STORED_TYPES = ("notification", "revocation")


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first message: the id of the session, and after how many seconds without an event Twitch
    sends a keepalive."""

    session_id: str
    keepalive_seconds: int


@dataclass(frozen=True, slots=True)
class Keepalive:
    """The connection is alive."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Twitch asks to connect to `url`, and to close this connection after the welcome there."""

    url: str


SocketMessage = Welcome | Keepalive | Reconnect | Message


def parse(data: bytes, now: datetime) -> SocketMessage:
    """The message in one frame. Raises MalformedMessage, and StaleMessage for an event that was
    sent outside the replay window."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedMessage("The message is too long.")
    document = decode_object(data)
    metadata, payload = object_field(document, "metadata"), object_field(document, "payload")
    match kind := text_field(metadata, "message_type"):
        case "session_welcome":
            return _welcome(object_field(payload, "session"))
        case "session_keepalive":
            return Keepalive()
        case "session_reconnect":
            return _reconnect(object_field(payload, "session"))
        case _ if kind in _STORED_TYPES:
            sent_at = parse_sent_at(text_field(metadata, "message_timestamp"), now)
            return message_from(kind, text_field(metadata, "message_id"), sent_at, payload)
        case _:
            return Unknown(f"message type {kind[:64]!r}")


def _welcome(session: dict[str, Any]) -> Welcome:
    session_id, seconds = session.get("id"), session.get("keepalive_timeout_seconds")
    if not isinstance(session_id, str) or not _SESSION_ID.fullmatch(session_id):
        raise MalformedMessage("The session's id is not an id.")
    if type(seconds) is not int or not 0 < seconds <= MAX_KEEPALIVE_SECONDS:
        raise MalformedMessage("keepalive_timeout_seconds is not a number of seconds.")
    return Welcome(session_id, seconds)


def _reconnect(session: dict[str, Any]) -> Reconnect:
    url = session.get("reconnect_url")
    if not isinstance(url, str) or not _RECONNECT_URL.fullmatch(url):
        raise MalformedMessage("reconnect_url is not a WebSocket URL.")
    return Reconnect(url)
