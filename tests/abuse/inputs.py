"""Requests to the webhook made of bytes: what a fuzzer mutates, and what hypothesis draws."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamwatch.domain.eventsub import sign
from streamwatch.domain.times import format_time
from tests import messages
from tests.abuse.app import START
from tests.messages import SECRET

TYPES = ("notification", "webhook_callback_verification", "revocation")

TEMPLATES: tuple[Callable[..., messages.Message], ...] = (
    messages.online,
    messages.offline,
    messages.verification,
    messages.revocation,
)

FIELDS = (
    ("subscription",),
    ("subscription", "type"),
    ("subscription", "version"),
    ("subscription", "status"),
    ("subscription", "condition"),
    ("subscription", "condition", "broadcaster_user_id"),
    ("subscription", "created_at"),
    ("subscription", "id"),
    ("event",),
    ("event", "id"),
    ("event", "broadcaster_user_login"),
    ("event", "broadcaster_user_name"),
    ("event", "type"),
    ("event", "started_at"),
    ("challenge",),
)
"""What is replaced in a message that is otherwise right."""


@dataclass(frozen=True)
class Request:
    headers: dict[str, str]
    body: bytes


def signed(body: bytes, kind: str, message_id: str, timestamp: str) -> Request:
    """As Twitch signs it, whatever it holds. WSGI gives header values as Latin-1."""
    return Request(
        {
            "Twitch-Eventsub-Message-Id": message_id,
            "Twitch-Eventsub-Message-Type": kind,
            "Twitch-Eventsub-Message-Timestamp": timestamp,
            "Twitch-Eventsub-Message-Signature": sign(message_id, timestamp, body, SECRET),
        },
        body,
    )


def changed(template: int, field: int, value: Any) -> bytes:
    """The body of a right message with one field replaced."""
    document = json.loads(TEMPLATES[template % len(TEMPLATES)](at=START).body)
    *parents, name = FIELDS[field % len(FIELDS)]
    place = document
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = value
    return json.dumps(document).encode()


NOW = format_time(START)
