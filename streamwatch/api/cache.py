"""Cache of ready responses to GET requests (decision 8).

A response is cached with the topics that it was made from, and is no longer used once one of them
has changed. `Coordination.listen_for_changes` reports changes: those of this process before the
call that made them returns, those of other processes within milliseconds. A lost message costs no
more than `MAX_AGE_SECONDS`, and nothing is cached while the listener is not connected.

Where several requests miss the same response at once, one makes it and the others wait for it.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from time import monotonic

from streamwatch.storage.base import ChangeListener, Coordination, Topic

MAX_AGE_SECONDS = 1.0
MAX_BYTES = 32 * 1024 * 1024
"""The size of all cached bodies of a process; the least recently used ones make room."""

MAX_WAIT_SECONDS = 1.0
"""How long a request waits for another one that makes the same response."""

Key = tuple[str, ...]
"""What identifies a request: its path, its query and whatever else the response varies by."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    response: CachedResponse
    topics: tuple[Topic, ...]
    version: int
    expires_at: float


class ResponseCache:
    """The cached responses of one process. Safe to use from several threads."""

    def __init__(
        self,
        coordination: Coordination,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._coordination = coordination
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = Lock()
        self._changes: Counter[str] = Counter()
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._bytes = 0
        self._making: dict[Key, Event] = {}
        """The responses that a request is making; each event is set once it has ended."""
        self._listener: ChangeListener | None = None

    def version(self, topics: tuple[Topic, ...]) -> int:
        """A number that grows with each change of `topics`. Take it before reading what the
        response is made from."""
        return sum(self._changes[topic] for topic in topics)

    def get(self, key: Key) -> CachedResponse | None:
        """The response that was cached for `key`, if nothing it was made from has changed."""
        if not self._is_connected():
            return None
        with self._lock:
            return self._current(key)

    def get_or_reserve(self, key: Key) -> CachedResponse | None:
        """The cached response, if need be after another request has made it.

        None if the caller has to make it. The first such caller has reserved `key` until it calls
        `release`. The others wait once: if a response cannot be cached, each makes its own.
        """
        if not self._is_connected():
            return None
        with self._lock:
            found = self._current(key)
            if found is not None:
                return found
            being_made = self._making.get(key)
            if being_made is None:
                self._making[key] = Event()
                return None
        being_made.wait(MAX_WAIT_SECONDS)
        return self.get(key)

    def release(self, key: Key) -> None:
        """End the reservation of `key`, if there is one: its response is cached or will not be."""
        with self._lock:
            made = self._making.pop(key, None)
        if made is not None:
            made.set()

    def put(
        self, key: Key, topics: tuple[Topic, ...], version: int, response: CachedResponse
    ) -> None:
        """Cache a response that was made from `topics` at `version`, unless they have changed."""
        if not self._is_connected() or len(response.body) > self._max_bytes:
            return
        entry = _Entry(response, topics, version, self._clock() + MAX_AGE_SECONDS)
        with self._lock:
            if version != self.version(topics):
                return
            if key in self._entries:
                self._remove(key)
            self._remove_expired()
            self._entries[key] = entry
            self._bytes += len(response.body)
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._entries)))

    def close(self) -> None:
        if self._listener:
            self._listener.close()

    def _current(self, key: Key) -> CachedResponse | None:
        """The entry of `key` while it is valid. The lock is held."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires_at <= self._clock() or entry.version != self.version(entry.topics):
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return entry.response

    def _remove_expired(self) -> None:
        """Remove expired entries that no request has asked for since. The lock is held.

        Otherwise a client that appends a new value to each URL would fill the memory: keys and
        headers do not count as bytes. Entries used in the last second may remain.
        """
        now = self._clock()
        while self._entries:
            key, least_used = next(iter(self._entries.items()))
            if least_used.expires_at > now:
                break
            self._remove(key)

    def _is_connected(self) -> bool:
        """Whether changes are received. The first call starts to listen: not before the fork."""
        if self._listener is None:
            with self._lock:
                if self._listener is None:
                    self._listener = self._coordination.listen_for_changes(self._on_change)
        return self._listener.is_connected

    def _on_change(self, topic: str | None) -> None:
        with self._lock:
            self._changes.update(list(Topic) if topic is None else [topic])

    def _remove(self, key: Key) -> None:
        self._bytes -= len(self._entries.pop(key).response.body)
