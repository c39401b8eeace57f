"""Events as they happen, for any number of listeners: one thread a process reads the feed's tail.

A listener is a place in the feed. While that is among the newest entries, which are shared, they
are handed to it from memory; if it lies further back (a listener who resumes, or is slow) they are
read from the storage until it has caught up. So nothing is lost, and nobody waits for anybody.
"""

import logging
import threading
from collections.abc import Callable, Iterator

from streamwatch.domain.models import StreamSnapshot, StreamStatus
from streamwatch.services.errors import TooManyListeners
from streamwatch.services.push.translator import FeedTranslator, PushEvent, TranslatedEntry
from streamwatch.storage.base import Storage, StorageUnavailable

log = logging.getLogger(__name__)

RESUMABLE = 2_000
"""How many entries the feed keeps for listeners who come back, though all its readers are done."""

SHARED = 1_000
"""How many entries are shared in memory; a listener who is further back reads the storage."""

_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 1.0
"""How long to wait when the storage did not answer."""

_READ_AT_ONCE = 500


class Broadcaster:
    """Hands out what the feed tells; `capacity` is how many may listen in this process."""

    def __init__(self, storage: Storage, capacity: int, shared: int = SHARED) -> None:
        self._storage = storage
        self._capacity = capacity
        self._shared = shared
        self._changed = threading.Condition()
        self._recent: ReplayBuffer | None = None
        self._listeners = 0
        self._is_stopping: Callable[[], bool] = lambda: False
        self._closed = False

    def listen(self, after: str | None = None) -> "Listener":
        """A listener from the entry `after` on, or from now on. To be closed.

        Raises TooManyListeners, and StorageUnavailable.
        """
        with self._changed:
            if self._listeners >= self._capacity:
                raise TooManyListeners(self._capacity)
            if self._recent is None:
                self._recent = self._start()
            self._listeners += 1
            return Listener(self, self._recent.newest if after is None else after)

    def ends_when(self, is_stopping: Callable[[], bool]) -> None:
        """Let listening end once the process is about to."""
        self._is_stopping = is_stopping

    def close(self) -> None:
        """Let everybody's listening end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def after(
        self, place: str | None, narrator: FeedTranslator, seconds: float
    ) -> tuple[list[TranslatedEntry], bool]:
        """What is told after `place`, waiting up to `seconds` for it, and whether that was all that
        will ever be. `narrator` is the listener's own, for what is not shared."""
        told = self._shared_after(place, seconds)
        if told is None and not self._closed:
            tail = self._storage.feed.tail(place, _READ_AT_ONCE)
            told = narrator.tell(tail)
            if not told:  # ahead of what is shared
                self._wait(seconds)
        return told or [], self._closed

    def leave(self) -> None:
        with self._changed:
            self._listeners -= 1

    def _shared_after(self, place: str | None, seconds: float) -> list[TranslatedEntry] | None:
        with self._changed:
            recent = self._recent
            if recent is None or place not in recent:
                return None
            self._changed.wait_for(lambda: self._closed or recent.newest != place, seconds)
            return recent.after(place)

    def _wait(self, seconds: float) -> None:
        with self._changed:
            if not self._closed:
                self._changed.wait(seconds)

    def _start(self) -> "ReplayBuffer":
        """Begin to share. What is known of the streams is read before the place in the feed: so a
        change from between is told with the next snapshot, and not lost."""
        narrator = FeedTranslator(_known(self._storage.live()))
        recent = ReplayBuffer(self._storage.feed.last_id(), self._shared)
        thread = threading.Thread(
            target=self._follow, args=(recent, narrator), name="live-push", daemon=True
        )
        thread.start()
        return recent

    def _follow(self, recent: "ReplayBuffer", narrator: FeedTranslator) -> None:
        """Share what comes, until nobody listens."""
        while self._is_wanted():
            pause = _LOOK_SECONDS
            try:
                tail = self._storage.feed.tail(recent.newest, _READ_AT_ONCE)
            except StorageUnavailable as error:
                log.warning("The feed's tail cannot be read: %s", error)
                pause = _PATIENCE_SECONDS
            else:
                self._share(recent, narrator.tell(tail))
            if self._is_stopping():
                self.close()
            self._wait_for_end(pause)

    def _is_wanted(self) -> bool:
        with self._changed:
            if self._listeners and not self._closed:
                return True
            self._recent = None
            return False

    def _share(self, recent: "ReplayBuffer", told: list[TranslatedEntry]) -> None:
        if told:
            with self._changed:
                recent.add(told)
                self._changed.notify_all()

    def _wait_for_end(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)


class Listener:
    """One who listens: gets everything after its place in the feed, each thing once."""

    def __init__(self, push: Broadcaster, place: str | None) -> None:
        self.place = place
        """The entry up to which everything was told; None before the feed's first."""
        self._push = push
        self._narrator = FeedTranslator()
        self._is_open = True

    def events(self, seconds: float) -> Iterator[tuple[str | None, PushEvent | None]]:
        """What happens, as it happens: each event with the place to resume from once it has been
        seen. Without an event after `seconds` without one. Ends when listening does.

        Raises StorageUnavailable where the storage has to be read and does not answer.
        """
        ended = False
        while not ended and self._is_open:
            told, ended = self._push.after(self.place, self._narrator, seconds)
            for entry in told:
                for event in entry.events[:-1]:  # the rest would be missed by resuming from here
                    yield self.place, event
                self.place = entry.id
                if entry.events:
                    yield self.place, entry.events[-1]
            yield self.place, None

    def close(self) -> None:
        """Make room for another. Any number of times."""
        if self._is_open:
            self._is_open = False
            self._push.leave()


class ReplayBuffer:
    """What the newest entries told, by their ids, after the place where sharing began."""

    def __init__(self, start: str | None, size: int) -> None:
        self._size = size
        self._told: dict[str | None, TranslatedEntry | None] = {start: None}

    def __contains__(self, place: str | None) -> bool:
        return place in self._told

    @property
    def newest(self) -> str | None:
        return next(reversed(self._told))

    def add(self, told: list[TranslatedEntry]) -> None:
        for entry in told:
            self._told[entry.id] = entry
        for _ in range(len(self._told) - self._size):
            del self._told[next(iter(self._told))]

    def after(self, place: str | None) -> list[TranslatedEntry] | None:
        """What came after `place`, oldest first; None where that is no longer here."""
        found: list[TranslatedEntry] = []
        for known, told in reversed(self._told.items()):
            if known == place:
                return found[::-1]
            if told:
                found.append(told)
        return None


def _known(live: list[StreamStatus]) -> dict[str, StreamSnapshot]:
    """What the statuses say of the streams, in the form in which the feed tells it."""
    return {
        status.user_id: StreamSnapshot(
            stream_id=status.stream.id,
            broadcaster_id=status.user_id,
            broadcaster_login=status.login,
            broadcaster_name=status.display_name,
            captured_at=status.last_updated,
            started_at=status.stream.started_at,
            viewer_count=status.stream.viewer_count or 0,
            category_id=status.stream.game_id,
            category_name=status.stream.game_name,
            title=status.stream.title,
            language=status.stream.language,
            tags=status.stream.tags or (),
        )
        for status in live
        if status.stream and status.stream.has_details
    }
