"""A request to Twitch, its response, and the error that a failed response becomes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn

import orjson

from streamwatch.twitch.base import TwitchDenied, TwitchError, TwitchRefused, TwitchUnavailable

_MAX_MESSAGE_LENGTH = 200
_MAX_DIGITS = 18

ErrorsByStatus = Mapping[int, type[TwitchRefused]]
"""Error classes by HTTP status; any other status from 400 on is a TwitchRefused."""


@dataclass(frozen=True, slots=True)
class Response:
    """Twitch's response, which arrived at `answered_at`, to a request made at `asked_at`. Bodies
    may hold a token: no repr."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    asked_at: datetime
    answered_at: datetime

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def document(self) -> dict[str, Any] | None:
        """The body as a JSON object; None if it is not one."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            document = _decode(self.body)
        return document if isinstance(document, dict) else None

    def message(self) -> str:
        """Twitch's error message; "" if there is none."""
        message = (self.document() or {}).get("message")
        return message if isinstance(message, str) else ""

    def number(self, header: str) -> int | None:
        """The whole number in a header; None if there is none."""
        value = self.headers.get(header, "")
        is_number = value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS
        return int(value) if is_number else None


def _decode(body: bytes) -> Any:
    """The JSON in `body`; None if it is not JSON.

    orjson refuses a body for one lone surrogate or one byte that is not UTF-8. Here they get into
    the texts, and only the items that have them are malformed.
    """
    try:
        return _DECODER.decode(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _integer(digits: str) -> int | float:
    """Python bounds the digits of an integer; a float has no bound."""
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse)


def is_rate_limited(response: Response) -> bool:
    """Whether the rate limit's bucket is empty."""
    return response.status == HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class Call:
    """A request to Twitch. `form` or `json` is its body, which may hold secrets: no repr.

    `rate_limited` tells responses that ask to retry later from those that are final.
    """

    method: str
    path: str
    params: Sequence[tuple[str, str]] = ()
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    errors: ErrorsByStatus = field(default_factory=lambda: {HTTPStatus.UNAUTHORIZED: TwitchDenied})
    rate_limited: Callable[[Response], bool] = is_rate_limited

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def error_from(call: Call, response: Response, secrets: Sequence[str]) -> TwitchError:
    """The error for a response that is not a success. It quotes Twitch's message only if that is
    short, printable and contains none of `secrets`."""
    if response.status < HTTPStatus.BAD_REQUEST:
        return malformed_response(call)
    text, message = f"Twitch refused {call} with {response.status}", response.message()
    if (
        0 < len(message) <= _MAX_MESSAGE_LENGTH
        and message.isprintable()
        and not any(secret in message for secret in secrets)
    ):
        text = f"{text}: {message}"
    return call.errors.get(response.status, TwitchRefused)(text, response.status)


def malformed_response(call: Call) -> TwitchUnavailable:
    """The error for a response that does not have the documented form. Such a response is never
    taken for an empty result."""
    return TwitchUnavailable(f"Twitch's response to {call} is malformed.")
