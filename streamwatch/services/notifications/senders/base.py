"""The interface of senders."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from streamwatch.domain.notifications.models import Notification, SendResult
from streamwatch.services.documents import Document

MAX_DETAIL = 200
"""How many characters of a receiver's answer are shown."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Webhooks take `body`, the others `text`; `edits` is the Discord message that
    is edited instead of posting one. `rate` is the sender's own state of the target."""

    delivery_id: str
    text: str = ""
    body: str | None = None
    edits: str | None = None
    rate: Document | None = None


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


def excerpt(body: bytes) -> str:
    """The beginning of an answer, printable and in one line; "" for an empty one."""
    text = body[: 4 * MAX_DETAIL].decode("utf-8", "replace")
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown[:MAX_DETAIL]
