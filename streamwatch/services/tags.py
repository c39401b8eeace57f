"""Which streamers have a tag, for filters of events and statuses."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from threading import Lock
from time import monotonic

from streamwatch.domain.models import Streamer
from streamwatch.storage.base import ChangeListener, Storage, Topic

MAX_AGE_SECONDS = 1.0
"""How long the index is used if no change is received, for example because a message was lost."""


class TagIndex:
    """The user ids of the monitored streamers by tag. Safe to use from several threads.

    A listener of `/events/live` asks for each event, so the index is read from the storage only if
    a record has changed, and at most once a second without a change.
    """

    def __init__(self, storage: Storage, clock: Callable[[], float] = monotonic) -> None:
        self._storage = storage
        self._clock = clock
        self._lock = Lock()
        self._index: Mapping[str, Collection[str]] | None = None
        self._has_changed = False
        self._expires_at = 0.0
        self._listener: ChangeListener | None = None

    def user_ids(self, tag: str) -> Collection[str]:
        """The user ids of the streamers with `tag`. Raises StorageUnavailable."""
        with self._lock:  # while it is read, all others wait for the result
            if self._listener is None:  # not before the fork
                listen = self._storage.coordination.listen_for_changes
                self._listener = listen(self._on_change)
            if self._index is None or self._has_changed or self._clock() >= self._expires_at:
                self._index, self._has_changed = None, False
                self._expires_at = self._clock() + MAX_AGE_SECONDS
                self._index = _by_tag(self._storage.streamers())
            return self._index.get(tag, ())

    def _on_change(self, topic: str | None) -> None:
        if topic in {None, Topic.STREAMERS}:
            self._has_changed = True


def _by_tag(streamers: Iterable[Streamer]) -> dict[str, set[str]]:
    index: dict[str, set[str]] = defaultdict(set)
    for streamer in streamers:
        for tag in streamer.tags:
            index[tag].add(streamer.user_id)
    return index
