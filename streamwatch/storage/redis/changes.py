"""Published changes, over Redis Pub/Sub (https://redis.io/docs/latest/develop/pubsub/)."""

import logging
from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread, current_thread
from time import monotonic

from redis.client import PubSub
from redis.exceptions import NoPermissionError

from streamwatch.storage.base import ChangeListener, StorageError, StorageUnavailable
from streamwatch.storage.redis import keys
from streamwatch.storage.redis.connection import Connection

log = logging.getLogger(__name__)

RECONNECT_SECONDS = 0.5
"""The delay before reconnecting."""

POLL_SECONDS = 0.25
"""The longest wait for a message. Closing takes up to as long."""

PING_SECONDS = 1.0
SILENT_SECONDS = 3.0
"""A connection without messages is pinged after PING_SECONDS, and closed after SILENT_SECONDS
without any response."""

OnChange = Callable[[str | None], None]


def published(topics: Iterable[str]) -> tuple[str, str]:
    """The channel and the message for a script that publishes a change of `topics`."""
    return keys.CHANGES_CHANNEL, " ".join(topics)


class ChangeChannel:
    """Publishes changes, and receives the changes of all processes on one connection.

    A thread makes the connection when the first listener is added.
    """

    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._lock = Lock()
        self._listeners: list[_Listener] = []
        self._thread: Thread | None = None
        self._closing = Event()
        self._is_failing = False
        self._is_forbidden = False
        self.is_connected = False

    def publish(self, topic: str) -> None:
        """Publish a change to all processes, this one included.

        Where the Redis user lacks permission for the channel, that is logged once: no process can
        subscribe either, and none relies on the message.
        """
        try:
            self._redis.call("PUBLISH", *published([topic]))
        except StorageUnavailable as error:
            if not isinstance(error.__cause__, NoPermissionError):
                raise
            if not self._is_forbidden:
                log.warning("Changes are not published to other processes: %s", error)
            self._is_forbidden = True
        self.notify([topic])

    def notify(self, topics: Iterable[str]) -> None:
        """Call the listeners of this process for a change that a script has published."""
        for topic in dict.fromkeys(topics):
            self._call_listeners(topic)

    def listen(self, on_change: OnChange) -> ChangeListener:
        listener = _Listener(self, on_change)
        with self._lock:
            self._listeners.append(listener)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="changes", daemon=True)
                self._thread.start()
        return listener

    def remove(self, listener: "_Listener") -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def close(self) -> None:
        self._closing.set()
        if self._thread not in (None, current_thread()):
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._redis.port_errors(), self._redis.pubsub() as pubsub:
                    self._receive(pubsub)
            except StorageError as error:
                if not self._is_failing:
                    log.warning("Changes of other processes are not received: %s", error)
                self._is_failing = True
            finally:
                self.is_connected = False
                self._call_listeners(None)
            self._closing.wait(RECONNECT_SECONDS)

    def _receive(self, pubsub: PubSub) -> None:
        """Call the listeners for each message until closed. Raises if the connection is lost."""
        pubsub.subscribe(keys.CHANGES_CHANNEL)
        received_at = pinged_at = monotonic()
        while not self._closing.is_set():
            message = pubsub.get_message(timeout=POLL_SECONDS)
            now = monotonic()
            if message is not None:
                received_at = now
                self._handle(message["type"], message["data"])
            elif now - received_at > SILENT_SECONDS:
                raise StorageUnavailable("Redis did not answer a PING in time.")
            elif now - max(received_at, pinged_at) > PING_SECONDS:
                pubsub.ping()
                pinged_at = now

    def _handle(self, kind: str, data: bytes) -> None:
        if kind == "subscribe":  # also sent after redis-py has reconnected by itself
            self._call_listeners(None)
            self._is_failing = False
            self.is_connected = True
        elif kind == "message":
            for topic in data.decode().split():
                self._call_listeners(topic)

    def _call_listeners(self, topic: str | None) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.on_change(topic)


class _Listener(ChangeListener):
    def __init__(self, channel: ChangeChannel, on_change: OnChange) -> None:
        self._channel = channel
        self._is_closed = False
        self.on_change = on_change

    @property
    def is_connected(self) -> bool:
        return self._channel.is_connected and not self._is_closed

    def close(self) -> None:
        self._is_closed = True
        self._channel.remove(self)
