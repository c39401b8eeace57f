"""The directory of live streams: search, filter by category, order and totals."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from streamwatch.domain.models import Stream, StreamStatus
from streamwatch.storage.base import Storage


class Order(StrEnum):
    VIEWERS = "viewers"
    NEWEST = "newest"
    LONGEST = "longest"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class LiveStream:
    """The status of a live streamer, with its stream."""

    status: StreamStatus
    stream: Stream


@dataclass(frozen=True, slots=True)
class LiveListing:
    """`streams` are those that were searched for; the numbers are of all live streams.
    `categories` has the number of streams of each category, the largest first."""

    streams: list[LiveStream]
    live: int
    viewers: int
    monitored: int
    categories: dict[str, int]


class LiveDirectory:
    """Finds live streams."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(
        self,
        search: str = "",
        category: str = "",
        order: Order = Order.VIEWERS,
        user_ids: Collection[str] | None = None,
    ) -> list[LiveStream]:
        """The live streams of `category` whose streamer, title or tags contain `search`; "" matches
        all. Upper and lower case are the same. With `user_ids` only those of these streamers."""
        live = self._live()
        if user_ids is not None:
            live = [item for item in live if item.status.user_id in user_ids]
        return _find(live, search, category, order)

    def find_with_totals(
        self, search: str = "", category: str = "", order: Order = Order.VIEWERS
    ) -> LiveListing:
        """The result of `find`, with totals over all live streams."""
        live = self._live()
        categories = Counter(item.stream.game_name for item in live if item.stream.game_name)
        return LiveListing(
            streams=_find(live, search, category, order),
            live=len(live),
            viewers=sum(item.stream.viewer_count or 0 for item in live),
            monitored=len(self._storage.streamers()),
            categories=dict(sorted(categories.items(), key=lambda item: (-item[1], item[0]))),
        )

    def _live(self) -> list[LiveStream]:
        return [
            LiveStream(status, status.stream) for status in self._storage.live() if status.stream
        ]


_KEYS: dict[Order, Callable[[LiveStream], Any]] = {
    Order.VIEWERS: lambda item: -(item.stream.viewer_count or 0),
    Order.NEWEST: lambda item: -item.stream.started_at.timestamp(),
    Order.LONGEST: lambda item: item.stream.started_at,
    Order.NAME: lambda item: item.status.login,
}


def _find(live: list[LiveStream], search: str, category: str, order: Order) -> list[LiveStream]:
    search, category = search.casefold().strip(), category.casefold()
    found = [
        item
        for item in live
        if _contains(item, search)
        and (not category or (item.stream.game_name or "").casefold() == category)
    ]
    return sorted(found, key=_KEYS[order])


def _contains(item: LiveStream, search: str) -> bool:
    status, stream = item.status, item.stream
    texts = (status.login, status.display_name, stream.title or "", *(stream.tags or ()))
    return any(search in text.casefold() for text in texts)
