"""The interface of senders."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import unquote_plus

from streamwatch.domain.notifications.documents import HIDDEN
from streamwatch.domain.notifications.models import Notification, SendResult
from streamwatch.services.documents import Document

MAX_DETAIL = 200
"""How many characters of a receiver's answer are shown."""

_MIN_SECRET = 4
"""Parts of a URL that are shorter are no secrets."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Webhooks take `body`, the others `text`; `edits` is the Discord message that
    is edited instead of posting one. `rate` is the sender's own state of the target. A test
    (`is_test`) mentions nobody."""

    delivery_id: str
    text: str = ""
    body: str | None = None
    edits: str | None = None
    rate: Document | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of sending a message, the sender's new state of the target, and until when no
    message may be sent there."""

    result: SendResult
    rate: Document | None = None
    paused_until: datetime | None = None


class Sender(ABC):
    """Sends messages to targets of one kind. Safe for threads."""

    at_once: ClassVar[int]
    """How many messages go to one target at the same time."""

    max_length: ClassVar[int] = 4000
    """The longest text that a target takes, in characters."""

    @abstractmethod
    def send(self, notification: Notification, message: Message) -> Sent:
        """Send one message. Returns within 25 seconds, and raises nothing: the result has the
        failure, without secrets."""

    def escape(self, text: str) -> str:
        """Escape text that others wrote (titles, names), so that the target does not format it."""
        return text


def redact(text: str, parts: Iterable[str]) -> str:
    """`text` without any of these parts of a URL, percent-encoded or not."""
    secrets = {form for part in parts for form in (part, unquote_plus(part))}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if len(secret) >= _MIN_SECRET else text
    return text


def excerpt(body: bytes, secrets: Iterable[str]) -> str:
    """The beginning of an answer, printable, in one line and without `secrets`; "" for an empty
    one."""
    text = redact(body.decode("utf-8", "replace"), secrets)[: 4 * MAX_DETAIL]
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown[:MAX_DETAIL]
