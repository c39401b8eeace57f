"""Positions in lists that are sorted by time, the newest first."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar


class Position(NamedTuple):
    """The position of an item in a list that is sorted by time: the item's time, and an id that
    orders items of the same time, the greatest first. An item keeps its position as long as it is
    in the list, so a page that starts after a position continues the list even if items were added
    meanwhile."""

    at: datetime
    id: str


class Positioned(Protocol):
    """An item that has a position in a list."""

    @property
    def position(self) -> Position: ...


Item = TypeVar("Item", bound=Positioned)


def first(items: Iterable[Item], limit: int, after: Position | None = None) -> list[Item]:
    """The first `limit` items after a position, or of all `items`, which are the newest first."""
    remaining = items if after is None else (item for item in items if item.position < after)
    return list(islice(remaining, limit))
