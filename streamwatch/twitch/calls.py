"""A call to Twitch and its answer: what is sent, what came back, and what a open_error means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson

from streamwatch.twitch.base import TwitchDenied, TwitchError, TwitchRefused, TwitchUnavailable

_LONGEST_MESSAGE = 200

Refusals = Mapping[int, type[TwitchRefused]]
"""What a open_error means, by HTTP status; any other status from 400 on is a TwitchRefused."""


@dataclass(frozen=True, slots=True)
class Response:
    """What Twitch answered to a request made at `asked_at`. Bodies may hold a token: no repr."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    asked_at: datetime

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def document(self) -> dict[str, Any] | None:
        """The body's JSON object; None where it is none."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return document if isinstance(document, dict) else None

    def message(self) -> str:
        """What Twitch says in words; "" where it says nothing."""
        message = (self.document() or {}).get("message")
        return message if isinstance(message, str) else ""

    def number(self, header: str) -> int | None:
        """The whole number in a header; None where there is none."""
        value = self.headers.get(header, "")
        return int(value) if value.isascii() and value.isdigit() else None


def is_rate_limited(answer: Response) -> bool:
    """Whether the rate limit's bucket is empty."""
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask of Twitch. `form` or `json` is its body, which may hold secrets: no repr.

    `rate_limited` tells the answers that mean "later" from those that mean "no".
    """

    method: str
    path: str
    params: Sequence[tuple[str, str]] = ()
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    refusals: Refusals = field(default_factory=lambda: {HTTPStatus.UNAUTHORIZED: TwitchDenied})
    rate_limited: Callable[[Response], bool] = is_rate_limited

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def open_error(call: Call, answer: Response, secrets: Sequence[str]) -> TwitchError:
    """The error that an answer without success is. Twitch's own words are in it only where they
    are short, printable and free of `secrets`."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return unexpected(call)
    text, message = f"Twitch refused {call} with {answer.status}", answer.message()
    if (
        0 < len(message) <= _LONGEST_MESSAGE
        and message.isprintable()
        and not any(secret in message for secret in secrets)
    ):
        text = f"{text}: {message}"
    return call.refusals.get(answer.status, TwitchRefused)(text, answer.status)


def unexpected(call: Call) -> TwitchUnavailable:
    """The error that an answer in a form that Twitch does not promise is: it is never taken for
    "nothing found"."""
    return TwitchUnavailable(f"Twitch's answer to {call} is not what it promises.")
