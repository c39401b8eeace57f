"""Helpers of the parsers of Helix responses: lists, cursors, checks of fields."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from streamwatch.twitch.calls import Response

log = logging.getLogger(__name__)

Document = dict[str, Any]
"""A JSON object."""

Shape = Mapping[str, type]
"""The type of each field that an object must have."""

URL = re.compile(r"https?://[^\s\"'<>\\]{1,500}", re.ASCII)

MAX_NAME_LENGTH = 256
MAX_TEXT_LENGTH = 1024
_MAX_CURSOR_LENGTH = 4096

T = TypeVar("T")


class Page(Protocol):
    """One page of a listing."""

    @property
    def cursor(self) -> str | None:
        """The cursor of the next page; None on the last page."""


def document_of(response: Response) -> Document:
    """The JSON object that is the body of `response`."""
    document = response.document()
    if document is None:
        raise ValueError("not a JSON object")
    return document


def items_of(document: Document) -> list[Any]:
    """The list of a response. The items are not checked."""
    items = document.get("data")
    if not isinstance(items, list):
        raise ValueError("no list of data")  # noqa: TRY004  one error for every malformed field
    return items


def cursor_of(document: Document) -> str | None:
    """The cursor of the next page; None on the last page."""
    pagination = document.get("pagination") or {}
    check(pagination, {})
    cursor = pagination.get("cursor") or None
    if cursor is not None:
        check_text(cursor, "cursor", _MAX_CURSOR_LENGTH)
    return cursor


def readable_items(
    document: Document, parse: Callable[[Document], T], *, may_all_be_malformed: bool = False
) -> list[T]:
    """The items that `parse` can read. Raises ValueError if it can read none of them, except with
    `may_all_be_malformed`."""
    items = items_of(document)
    readable: list[T] = []
    faults: list[str] = []
    for item in items:
        try:
            readable.append(parse(item))
        except ValueError as fault:
            faults.append(str(fault))
    if faults and not readable and not may_all_be_malformed:
        raise ValueError(faults[0])
    log_faults(faults)
    return readable


def log_faults(faults: Sequence[str]) -> None:
    """Log that items were left out for these faults, and the first of them."""
    if faults:
        log.warning("Left out %d malformed items of a response: %s", len(faults), faults[0])


def check(item: Any, shape: Shape) -> None:
    """Raise ValueError unless `item` is an object with all fields of `shape`."""
    if not isinstance(item, dict):
        raise ValueError("not an object")  # noqa: TRY004  one error for every malformed field
    for name, kind in shape.items():
        if type(item.get(name)) is not kind:  # a bool is an int, but not a number of viewers
            raise ValueError(f"{name} is missing or of another type")


def check_text(value: Any, name: str, longest: int) -> None:
    """Raise ValueError unless `value` is a text of at most `longest` characters that can be stored:
    without lone surrogates and NUL."""
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise ValueError(f"{name} is not a string of at most {longest} characters")
    value.encode()
