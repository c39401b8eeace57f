"""Cursors: the pages of a list. A cursor is the position of the last item of a page, as a text.

The texts are opaque to clients: base64url of the list's name, the item's time in microseconds since
1970, and the item's id. The next page has the items after that position (see `domain.positions`),
so no page costs more for being further down the list.
"""

import re
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic
from urllib.parse import quote, urlencode

import marshmallow as ma
from flask import Response, jsonify, request
from marshmallow import fields

from streamwatch.domain.positions import Item, Position

MAX_LENGTH = 1500
"""The longest cursor: ids have at most 256 characters, of up to four bytes each."""

PARAMETER = "after"

LINK_HEADER = {
    "Link": {
        "description": 'The URL of the next page, with `rel="next"`. Absent on the last page.',
        "schema": {"type": "string"},
    }
}
"""The documentation of the header of a page."""

_PATTERN = "^[A-Za-z0-9_-]+$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CursorField(fields.String):
    """The query parameter `after` of the list `name`: None or the position after which the page
    starts."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__(
            load_default=None,
            metadata={
                "description": "The cursor `next` of the previous page.",
                "maxLength": MAX_LENGTH,
                "pattern": _PATTERN,
            },
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        position = decode(self._name, value)
        if position is None:
            raise ma.ValidationError("Not a cursor of this list: send the `next` of a page.")
        return position


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of one page, and the cursor of the next page, None at the end of the list."""

    items: Sequence[Item]
    next: str | None

    def respond(self, **body: Any) -> Response:
        """The response with the fields of `body`, `count` and `next`, and the header `Link`."""
        response = jsonify(**body, count=len(self.items), next=self.next)
        if self.next is not None:
            response.headers["Link"] = f'<{_url_of(self.next)}>; rel="next"'
        return response


def page(
    name: str, query: dict[str, Any], read: Callable[[int, Position | None], Sequence[Item]]
) -> Page[Item]:
    """The page of the list `name` that the parameters `limit` (None for all) and `after` of `query`
    ask for. `read` returns a number of items after a position."""
    limit: int = query["limit"] or sys.maxsize - 1
    items = read(limit + 1, query[PARAMETER])  # one more tells whether there is a next page
    if len(items) <= limit:
        return Page(items, None)
    return Page(items[:limit], encode(name, items[limit - 1].position))


def encode(name: str, position: Position) -> str:
    """The cursor of a position in the list `name`."""
    microseconds = (position.at - _EPOCH) // _MICROSECOND
    text = f"{name}\n{microseconds}\n{position.id}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(name: str, cursor: str) -> Position | None:
    """The position of a cursor of the list `name`; None for any other text."""
    if len(cursor) > MAX_LENGTH or not re.fullmatch(_PATTERN, cursor):
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        _, microseconds, item_id = text.split("\n")
        position = Position(_EPOCH + int(microseconds) * _MICROSECOND, item_id)
    except (ValueError, OverflowError):
        return None
    return position if encode(name, position) == cursor else None


def _url_of(cursor: str) -> str:
    """The URL of the next page: that of this request with another cursor."""
    parameters = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in {PARAMETER, "_"}
    ]
    return f"{quote(request.path)}?{urlencode([*parameters, (PARAMETER, cursor)])}"
