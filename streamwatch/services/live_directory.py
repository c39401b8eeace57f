"""Who is live, as somebody looks at it: searched, sorted, summed up."""

from collections import Counter
from collections.abc import Callable
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
    """A status that is live, with its stream."""

    status: StreamStatus
    stream: Stream


@dataclass(frozen=True, slots=True)
class LiveListing:
    """`streams` are those that were asked for; the figures are of all who are live. `categories`
    are those that are on, by how many stream them, the most first."""

    streams: list[LiveStream]
    live: int
    viewers: int
    monitored: int
    categories: dict[str, int]


class LiveDirectory:
    """Reads who is live."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def look(
        self, search: str = "", category: str = "", order: Order = Order.VIEWERS
    ) -> LiveListing:
        """All live streams of `category` whose streamer, title or tags have `search` in them; ""
        is any."""
        live = [
            LiveStream(status, status.stream) for status in self._storage.live() if status.stream
        ]
        found = [one for one in live if _matches(one, search.casefold().strip(), category)]
        named = Counter(one.stream.game_name for one in live if one.stream.game_name)
        return LiveListing(
            streams=sorted(found, key=_KEYS[order]),
            live=len(live),
            viewers=sum(one.stream.viewer_count or 0 for one in live),
            monitored=len(self._storage.streamers()),
            categories=dict(sorted(named.items(), key=lambda item: (-item[1], item[0]))),
        )


_KEYS: dict[Order, Callable[[LiveStream], Any]] = {
    Order.VIEWERS: lambda one: -(one.stream.viewer_count or 0),
    Order.NEWEST: lambda one: -one.stream.started_at.timestamp(),
    Order.LONGEST: lambda one: one.stream.started_at,
    Order.NAME: lambda one: one.status.login,
}


def _matches(one: LiveStream, search: str, category: str) -> bool:
    if category and one.stream.game_name != category:
        return False
    status, stream = one.status, one.stream
    texts = (status.login, status.display_name, stream.title or "", *(stream.tags or ()))
    return any(search in text.casefold() for text in texts)
