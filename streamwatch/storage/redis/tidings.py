"""What Redis tells of the keys that change, without being asked each time."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from streamwatch.storage.base import StorageError
from streamwatch.storage.redis.connection import Connection

if TYPE_CHECKING:
    from redis.connection import ConnectionInterface

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the thread looks after the connection."""

SILENT_SECONDS = 2.5
"""After so long without a word, not even the answer to a PING, nothing counts as heard."""

UNUSED_SECONDS = 10.0
"""After so long without a question the connection is given up: what nobody reads piles up in
Redis."""

Stamp = tuple[int, ...]
"""How often keys have changed, as far as it was told: another after each change."""


class Tidings:
    """Redis tells a connection that asks for it of every key under a prefix that is written to
    (client tracking in broadcasting mode,
    https://redis.io/docs/latest/develop/reference/client-side-caching/), and does so before it
    answers whoever wrote. What was told is looked at before each answer: whoever knows of a change
    on one connection finds it told on this one; from another machine, once the network has carried
    it.

    A thread connects, so that nobody waits for that, and asks for a sign of life: a connection that
    is lost is one that tells nothing.
    """

    def __init__(self, redis: Connection, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._lock = Lock()
        self._connection: ConnectionInterface | None = None
        self._changes: defaultdict[bytes, int] = defaultdict(int)
        """Of the keys that were asked about."""
        self._lost = 0
        """How often everything may have changed."""
        self._heard_at = self._asked_at = 0.0
        self._is_refused = False
        self._closing = Event()
        self._thread: Thread | None = None

    def stamp(self, names: Sequence[str]) -> Stamp | None:
        """How often these keys have changed; None while nobody tells."""
        with self._lock:
            self._asked_at = monotonic()
            self._hear()
            if self._connection is None:
                self._look_after()
                return None
            if self._asked_at - self._heard_at > SILENT_SECONDS:
                return None
            return self._lost, *(self._changes[name.encode()] for name in names)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _look_after(self) -> None:
        """Have a thread connect, and keep the connection for as long as it is used."""
        if (self._thread is None or not self._thread.is_alive()) and not self._closing.is_set():
            self._thread = Thread(target=self._keep_connected, name="tidings", daemon=True)
            self._thread.start()

    def _keep_connected(self) -> None:
        while monotonic() - self._asked_at < UNUSED_SECONDS and not self._closing.is_set():
            if self._connection is None:
                self._connect()
            else:
                with self._lock:
                    self._hear()
                    self._ask_for_a_sign()
            self._closing.wait(LOOK_SECONDS)
        with self._lock:
            self._give_up()

    def _connect(self) -> None:
        try:
            connection = self._listening()
        except (RedisError, StorageError) as error:
            if not self._is_refused:
                log.info("Redis does not tell what changes; it is asked each time: %s", error)
            self._is_refused = True
            return
        with self._lock:
            self._is_refused = False
            self._heard_at = monotonic()
            self._connection = connection
            self._lost += 1  # what changed until now was told to nobody

    def _listening(self) -> "ConnectionInterface | None":
        """A connection that is told from now on; None where there can be none."""
        connection = self._redis.connection_of_its_own()
        if connection is None:
            return None
        try:
            connection.connect()
            connection.send_command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)
            connection.read_response()
        except RedisError:
            connection.disconnect()
            raise
        parser: Any = connection._parser  # type: ignore[attr-defined]  # noqa: SLF001  as redis-py's own cache does
        parser.set_invalidation_push_handler(self._note)
        return connection

    def _hear(self) -> None:
        """Take what was told meanwhile, without waiting for anything."""
        try:
            while self._connection is not None and self._connection.can_read():
                self._connection.read_response(push_request=True)
                self._heard_at = monotonic()
        except RedisError:
            self._give_up()

    def _ask_for_a_sign(self) -> None:
        try:
            if self._connection is not None:
                self._connection.send_command("PING")
        except RedisError:
            self._give_up()

    def _note(self, told: tuple[bytes, list[bytes] | None]) -> None:
        _, names = told
        if names is None:  # of everything at once: a FLUSHALL
            self._lost += 1
        for name in names or ():
            if name in self._changes:
                self._changes[name] += 1

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
        self._lost += 1
        self._changes.clear()
