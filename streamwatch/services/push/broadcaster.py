"""Delivers new feed entries to any number of listeners: one thread a process reads the feed.

A listener is a cursor in the feed (decision 5). While its cursor is among the newest entries, it
gets them from a buffer that all listeners of the process share. A listener whose cursor is further
back (it resumes, or is slow) reads the storage until it has caught up. So no entry is lost, and no
listener waits for another.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from time import monotonic

from streamwatch.domain.models import StreamStatus
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.polls import snapshot
from streamwatch.services.errors import TooManyListeners
from streamwatch.services.push.replay_buffer import ReplayBuffer
from streamwatch.services.push.translator import FeedTranslator, PushEvent, TranslatedEntry, gap_at
from streamwatch.storage.base import Storage, StorageUnavailable, Topic

log = logging.getLogger(__name__)

RESUMABLE = 2_000
"""How many entries the feed retains for listeners that resume, after all readers have read them."""

SHARED = 1_000
"""How many entries are shared in memory; a listener that is further back reads the storage."""

MAX_LISTENERS = 200
MAX_LISTENERS_PER_CLIENT = 8

_STOP_CHECK_SECONDS = 0.25
"""How often the thread checks whether the process is stopping, and how often it reads the feed
while changes are not being received."""

_READ_SECONDS = 1.0
"""How often the feed is read although no change was received."""

_RETRY_SECONDS = 1.0
"""The wait after a failed read."""

_BATCH = 500

_BEGINNING = "0"
"""An id that no entry has: a listener that starts after it gets a gap, and all entries."""


class Broadcaster:
    """Delivers the feed to the listeners of this process."""

    def __init__(
        self,
        storage: Storage,
        capacity: int = MAX_LISTENERS,
        shared: int = SHARED,
        capacity_per_client: int = MAX_LISTENERS_PER_CLIENT,
    ) -> None:
        self._storage = storage
        self._capacity = capacity
        self._capacity_per_client = capacity_per_client
        self._shared = shared
        self._condition = threading.Condition()
        self._buffer: ReplayBuffer | None = None
        self._listeners: Counter[str] = Counter()
        self._is_stopping: Callable[[], bool] = lambda: False
        self._closed = False
        self._has_news = False

    def listen(self, after: str | None = None, client: str = "") -> "Listener":
        """A listener for `client`, from the entry `after` on, or from now on. Close it after use.

        Raises TooManyListeners, and StorageUnavailable.
        """
        with self._condition:
            if self._listeners.total() >= self._capacity:
                raise TooManyListeners(self._capacity)
            if self._listeners[client] >= self._capacity_per_client:
                raise TooManyListeners(self._capacity_per_client)
            if self._buffer is None:
                self._buffer = self._start()
            self._listeners[client] += 1
            return Listener(self, client, self._buffer.newest if after is None else after)

    def position(self) -> str:
        """The newest entry of the feed, or _BEGINNING. A listener that starts after it misses
        nothing that happens from now on. Raises StorageUnavailable."""
        return self._storage.feed.last_id() or _BEGINNING

    def ends_when(self, is_stopping: Callable[[], bool]) -> None:
        """End all listeners once `is_stopping()` is true: the process is about to end."""
        self._is_stopping = is_stopping

    def close(self) -> None:
        """End all listeners."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether all listeners have ended."""
        return self._closed

    def shared_after(self, cursor: str | None, seconds: float) -> list[TranslatedEntry] | None:
        """The entries after `cursor` in the buffer, None if `cursor` is not in it. Waits up to
        `seconds` for an entry."""
        with self._condition:
            buffer = self._buffer
            if buffer is None or cursor not in buffer:
                return None
            self._condition.wait_for(lambda: self._closed or buffer.newest != cursor, seconds)
            return buffer.after(cursor)

    def stored_after(
        self, cursor: str | None, translator: FeedTranslator, seconds: float
    ) -> list[TranslatedEntry]:
        """The entries after `cursor` in the storage. Waits up to `seconds` for an entry.
        `translator` must know the entries up to `cursor`: see `translator_at`."""
        entries = translator.translate(self._storage.feed.tail(cursor, _BATCH))
        if not entries:  # the listener is ahead of the buffer
            self._wait(seconds)
        return entries

    def translator_at(self, cursor: str | None) -> FeedTranslator:
        """A translator that knows the streams as they were at `cursor`, from the entries before it.

        Otherwise it would report a change of category and title for every live stream.
        """
        translator = FeedTranslator()
        start: str | None = None
        while entries := self._storage.feed.tail(start, _BATCH).entries:
            ids = [entry.id for entry in entries]
            if cursor in ids:
                translator.learn(entries[: ids.index(cursor) + 1])
                return translator
            translator.learn(entries)
            start = ids[-1]
        # The entry is not in the feed: the entries that were read are newer, not translated yet.
        return FeedTranslator()

    def leave(self, client: str) -> None:
        """Make room for another listener."""
        with self._condition:
            self._listeners -= Counter([client])

    def _wait(self, seconds: float) -> None:
        with self._condition:
            if not self._closed:
                self._condition.wait(seconds)

    def _start(self) -> ReplayBuffer:
        """Start sharing. The statuses are read before the feed's last id, so that a change from
        between the two is pushed with the next snapshot instead of being lost."""
        translator = _translator_of(self._storage.live())
        buffer = ReplayBuffer(self._storage.feed.last_id(), self._shared)
        thread = threading.Thread(
            target=self._follow, args=(buffer, translator), name="push", daemon=True
        )
        thread.start()
        return buffer

    def _follow(self, buffer: ReplayBuffer, translator: FeedTranslator) -> None:
        """Read the feed into `buffer` while there are listeners."""
        listener = self._storage.coordination.listen_for_changes(self._wake)
        read_at = -_READ_SECONDS
        retry_at = 0.0
        try:
            while self._is_needed():
                now = monotonic()
                is_due = not listener.is_connected or now - read_at >= _READ_SECONDS
                if now >= retry_at and (self._take_news() or is_due):
                    read_at = now
                    if not self._read(buffer, translator):
                        retry_at = now + _RETRY_SECONDS
                if self._is_stopping():
                    self.close()
                self._wait_for_news(is_retrying=now < retry_at)
        finally:
            listener.close()
            with self._condition:
                if self._buffer is buffer:  # after a defect: the next listener starts a thread
                    self._buffer = None

    def _read(self, buffer: ReplayBuffer, translator: FeedTranslator) -> bool:
        """Add the new entries to the buffer; False if the storage did not answer.

        If the feed does not have the newest entry, what it returns is mostly known: a failover of
        Redis lost that entry. Then listeners get a gap and what comes after it.
        """
        try:
            tail = self._storage.feed.tail(buffer.newest, _BATCH)
            last_id = None if tail.complete else self._storage.feed.last_id()
        except StorageUnavailable as error:
            log.warning("The feed cannot be read: %s", error)
            return False
        entries = [gap_at(last_id)] if last_id else translator.translate(tail)
        with self._condition:
            buffer.add(entries)
            self._has_news = self._has_news or len(entries) == _BATCH
            if entries:
                self._condition.notify_all()
        return True

    def _is_needed(self) -> bool:
        with self._condition:
            if self._listeners.total() and not self._closed:
                return True
            self._buffer = None
            return False

    def _wake(self, topic: str | None) -> None:
        """Called when something changed; None means that anything may have changed."""
        if topic in {None, Topic.LIVE, Topic.EVENTS}:
            with self._condition:
                self._has_news = True
                self._condition.notify_all()

    def _take_news(self) -> bool:
        with self._condition:
            has_news, self._has_news = self._has_news, False
            return has_news

    def _wait_for_news(self, *, is_retrying: bool) -> None:
        """Wait until there is news, or for _STOP_CHECK_SECONDS. After a failed read, news ends no
        wait: it is not read before the retry."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._closed or (self._has_news and not is_retrying), _STOP_CHECK_SECONDS
            )


class Listener:
    """Receives everything after its cursor in the feed, each event once."""

    def __init__(self, broadcaster: Broadcaster, client: str, cursor: str | None) -> None:
        self.cursor = cursor
        """The last entry that was delivered completely; None before the feed's first entry."""
        self._broadcaster = broadcaster
        self._client = client
        self._translator: FeedTranslator | None = None
        """For entries that are read from the storage; None while the cursor is in the buffer."""
        self._is_open = True

    def events(self, seconds: float) -> Iterator[tuple[str | None, PushEvent | None]]:
        """The events as they happen, each with the cursor to resume from once it was delivered;
        None as the event after at most `seconds` without one. Ends when the broadcaster is closed.

        Raises StorageUnavailable where the storage has to be read and does not answer.
        """
        ended = False
        while not ended and self._is_open:
            entries = self._entries(seconds)
            ended = self._broadcaster.is_closed
            for entry in entries:
                # Resuming from this entry would skip its other events, so all but the last one
                # come with the cursor of the entry before.
                for event in entry.events[:-1]:
                    yield self.cursor, event
                self.cursor = entry.id
                if entry.events:
                    yield self.cursor, entry.events[-1]
            yield self.cursor, None

    def _entries(self, seconds: float) -> list[TranslatedEntry]:
        """The entries after the cursor. Waits up to `seconds` for an entry."""
        shared = self._broadcaster.shared_after(self.cursor, seconds)
        if shared is not None or self._broadcaster.is_closed:
            self._translator = None
            return shared or []
        if self._translator is None:
            self._translator = self._broadcaster.translator_at(self.cursor)
        return self._broadcaster.stored_after(self.cursor, self._translator, seconds)

    def close(self) -> None:
        """Make room for another listener. May be called more than once."""
        if self._is_open:
            self._is_open = False
            self._broadcaster.leave(self._client)


def _translator_of(live: list[StreamStatus]) -> FeedTranslator:
    """A translator that knows all live streams, but for those without details so far."""
    known = {
        status.user_id: snapshot(
            SeenLive(
                status.user_id,
                status.login,
                status.display_name,
                status.stream,
                status.last_updated,
            )
        )
        for status in live
        if status.stream and status.stream.has_details
    }
    return FeedTranslator(known, unknown_is_new=True)
