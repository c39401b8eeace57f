"""The directory of monitored streamers: names, tags, live streams, and last streams."""

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from streamwatch.analytics.base import AnalyticsStore, AnalyticsUnavailable
from streamwatch.domain.models import Stream, Streamer
from streamwatch.domain.totals import Ranking
from streamwatch.services.analytics.queries import ALL_STREAMERS
from streamwatch.storage.base import Storage

log = logging.getLogger(__name__)

_CACHED = timedelta(seconds=30)


class State(StrEnum):
    """Which streamers are listed."""

    ALL = "all"
    LIVE = "live"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A monitored streamer, the stream that is on, if any, and when a stream was last on."""

    streamer: Streamer
    stream: Stream | None
    last_live_at: datetime | None


class StreamerDirectory:
    """Lists monitored streamers: those who are live first, the most viewers first; then the others
    by when their last stream ended, the most recent first."""

    def __init__(
        self, storage: Storage, analytics: AnalyticsStore, clock: Callable[[], datetime]
    ) -> None:
        self._storage = storage
        self._analytics = analytics
        self._clock = clock
        self._last_live: dict[str, datetime] = {}
        self._read_at: datetime | None = None

    def entries(
        self, search: str = "", tag: str = "", state: State = State.ALL
    ) -> list[DirectoryEntry]:
        """The streamers in `state` with `tag` ("" is any) that match `search`."""
        return [
            entry
            for entry in self._all()
            if _is_in_state(entry, state)
            and (not tag or tag in entry.streamer.tags)
            and matches(entry.streamer, search)
        ]

    def tags(self) -> list[str]:
        """All tags in use, in alphabetical order."""
        return sorted({tag for streamer in self._storage.streamers() for tag in streamer.tags})

    def _all(self) -> Iterable[DirectoryEntry]:
        streams = {status.user_id: status.stream for status in self._storage.live()}
        last_live = self._read_last_live()
        entries = [
            DirectoryEntry(streamer, streams.get(streamer.user_id), last_live.get(streamer.user_id))
            for streamer in self._storage.streamers()
        ]
        return sorted(entries, key=_order)

    def _read_last_live(self) -> dict[str, datetime]:
        """When each streamer was last live, by user id, at most 30 seconds old. While the analytics
        are unavailable, the times that were read last."""
        now = self._clock()
        if self._read_at is None or now - self._read_at >= _CACHED:
            try:
                everyone = self._analytics.top(Ranking.HOURS, ALL_STREAMERS)
            except AnalyticsUnavailable as error:
                log.warning("Streamers are listed without their last streams: %s", error)
                return self._last_live
            self._last_live = {
                stats.identity.broadcaster_id: stats.totals.last_live_at
                for stats in everyone
                if stats.totals.last_live_at
            }
            self._read_at = now
        return self._last_live


def _order(entry: DirectoryEntry) -> tuple[bool, float, str]:
    if entry.stream:
        return False, -(entry.stream.viewer_count or 0), entry.streamer.login
    last = entry.last_live_at
    return True, -last.timestamp() if last else math.inf, entry.streamer.login


def _is_in_state(entry: DirectoryEntry, state: State) -> bool:
    return state is State.ALL or (entry.stream is not None) is (state is State.LIVE)


def matches(streamer: Streamer, search: str) -> bool:
    """Whether the login, the name or a tag of the streamer contains `search`, without regard to
    case."""
    needle = search.strip().casefold()
    texts = (streamer.login, streamer.display_name, *streamer.tags)
    return any(needle in text.casefold() for text in texts)
