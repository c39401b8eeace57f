"""What Redis tells of the keys that change, without being asked each time."""

import logging
import ssl
from collections import defaultdict
from collections.abc import Iterator, Sequence
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from hiredis import ProtocolError, PushNotification, Reader
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

_READ_BYTES = 2**16

Stamp = tuple[int, ...]
"""How often keys have changed, as far as it was told: another after each change."""


class _Ear:
    """A connection that is listened to without waiting. redis-py makes five calls of the system to
    look for a message and to take it, and each of them hands the interpreter to another thread."""

    def __init__(self, connection: "ConnectionInterface") -> None:
        self._connection = connection
        self._socket: Any = connection._sock  # type: ignore[attr-defined]  # noqa: SLF001  there is no other way to it
        self._socket.setblocking(False)
        self._is_tls = isinstance(self._socket, ssl.SSLSocket)
        self._reader = Reader()

    def said(self) -> Iterator[Any]:
        """What has come in. Raises OSError where the connection is lost, and ProtocolError where it
        is not Redis's that speaks."""
        is_all = False
        while not is_all:
            is_all = self._take()
            yield from iter(self._reader.gets, False)

    def ask_for_a_sign(self) -> None:
        """Raises OSError where the connection is lost."""
        self._socket.sendall(b"PING\r\n")

    def close(self) -> None:
        self._connection.disconnect()

    def _take(self) -> bool:
        """Take what there is; whether it is all. TLS gives out one of its records at a time."""
        try:
            data = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        if not data:
            raise ConnectionResetError
        self._reader.feed(data)
        return len(data) < _READ_BYTES and not self._is_tls


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
        self._ear: _Ear | None = None
        self._changes: defaultdict[bytes, int] = defaultdict(int)
        """Of the keys that were asked about."""
        self._lost = 0
        """How often everything may have changed."""
        self._heard_at = self._asked_at = 0.0
        self._owed = 0
        """How many signs of life Redis was asked for and has not given."""
        self._is_refused = False
        self._closing = Event()
        self._thread: Thread | None = None

    def stamp(self, names: Sequence[str]) -> Stamp | None:
        """How often these keys have changed; None while nobody tells."""
        with self._lock:
            self._asked_at = monotonic()
            self._hear()
            if self._ear is None:
                self._look_after()
                return None
            if self._owed or self._asked_at - self._heard_at > SILENT_SECONDS:
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
            if self._ear is None:
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
            ear = self._listening()
        except (RedisError, StorageError) as error:
            if not self._is_refused:
                log.info("Redis does not tell what changes; it is asked each time: %s", error)
            self._is_refused = True
            return
        with self._lock:
            self._is_refused = False
            self._heard_at = monotonic()
            self._ear = ear
            self._owed = 0
            self._lost += 1  # what changed until now was told to nobody

    def _listening(self) -> _Ear | None:
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
        return _Ear(connection)

    def _hear(self) -> None:
        """Take what was told meanwhile, without waiting for anything."""
        if self._ear is None:
            return
        try:
            for said in self._ear.said():
                self._heard_at = monotonic()
                self._note(said)
        except (OSError, ProtocolError):
            self._give_up()

    def _ask_for_a_sign(self) -> None:
        """Until it comes nothing counts as heard: a connection that is owed an answer may be told
        after whoever has changed something was answered, and so too late."""
        try:
            if self._ear is not None:
                self._owed += 1
                self._ear.ask_for_a_sign()
        except OSError:
            self._give_up()

    def _note(self, said: Any) -> None:
        if not isinstance(said, PushNotification):
            self._owed -= 1
            return
        _, names = said
        if names is None:  # of everything at once: a FLUSHALL
            self._lost += 1
            return
        for name in names:
            if name in self._changes:
                self._changes[name] += 1

    def _give_up(self) -> None:
        if self._ear is not None:
            self._ear.close()
            self._ear = None
        self._lost += 1
        self._changes.clear()
