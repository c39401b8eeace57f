"""The thread that holds EventSub's WebSocket while this process leads.

Nothing is replayed after a loss: everyone is polled as soon as the new connection is attached.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from streamwatch.domain.eventsub import Message
from streamwatch.domain.websocket_messages import Keepalive, Reconnect, Welcome
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.ingestion.receiver import MessageReceiver
from streamwatch.services.ingestion.recorder import LeadershipLost
from streamwatch.services.subscriptions.conduit import OwnConduit
from streamwatch.services.subscriptions.eventsub_state import (
    EventSubState,
    eventsub_state,
    publish_eventsub_state,
)
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.storage.base import Coordination, Lease, StorageError, StorageUnavailable
from streamwatch.twitch.base import (
    ConnectionLost,
    EventSubSocket,
    NotFound,
    TwitchError,
)
from streamwatch.worker.shard_check import ShardCheck

log = logging.getLogger(__name__)

MAX_BACKOFF_SECONDS = 15.0
HANDOVER_SECONDS = 5.0
"""How long a stopping leader waits for its successor to be attached."""

_POLL_SECONDS = 0.2
_PUBLISH_SECONDS = 5.0
_STABLE_SECONDS = 10.0
"""A connection that stayed attached this long resets the back-off."""

_RETRY_STORAGE_SECONDS = 0.3
_MAX_STORAGE_SECONDS = 30.0
"""How long a message that cannot be stored is retried before the connection is given up."""

_DRAIN_SECONDS = 1.0

Connect = Callable[[str | None], EventSubSocket]
"""Opens a connection, to the reconnect URL if one is given. Raises ConnectionLost."""


@dataclass(frozen=True, slots=True)
class ListenerParts:
    """The services and functions that the listener uses. `poll_all` polls everyone under a lease;
    `count` counts the outcome of a message; `is_shared` tells whether another process can take
    over."""

    coordination: Coordination
    conduit: OwnConduit
    receiver: MessageReceiver
    connect: Connect
    poll_all: Callable[[Lease], object]
    count: Callable[[str], None]
    is_shared: bool


class EventSubListener:
    """Holds the connection while `lease` returns a lease, that is, while this worker leads."""

    def __init__(self, parts: ListenerParts, lease: Callable[[], Lease | None]) -> None:
        self._parts = parts
        self._lease = lease
        self._state = EventSubState()
        self._failures = 0
        self._attached_at: float | None = None
        self._connections = 0
        self._attached_conduit: str | None = None
        self._problem: str | None = None
        self._socket: EventSubSocket | None = None
        self._stop = threading.Event()
        self._stop_requested_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="eventsub", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Begin to hand over, without waiting."""
        if self._stop_requested_at is None:
            self._stop_requested_at = time.monotonic()
        self._stop.set()

    def stop(self, seconds: float) -> None:
        """Hand the connection over: close it once a successor is attached, or after
        HANDOVER_SECONDS. Waits until `seconds` after the first request to stop. If no other process
        can take over, close it at once and delete the conduit."""
        self.request_stop()
        assert self._stop_requested_at is not None  # noqa: S101  set by request_stop
        self._thread.join(max(0.0, self._stop_requested_at + seconds - time.monotonic()))
        if not self._parts.is_shared:
            try:
                self._parts.conduit.delete()
            except (TwitchError, StorageError) as error:
                log.warning("The conduit could not be deleted: %s", error)

    def _run(self) -> None:
        while not self._stop.is_set():
            lease = self._lease()
            if lease is None:
                self._attached_conduit = None
                self._stop.wait(_POLL_SECONDS)
                continue
            self._attached_at = None
            try:
                self._listen(lease)
            except (TwitchError, StorageError, AlreadyRunning) as error:
                self._report(str(error))
            except Exception:
                log.exception("Listening to EventSub failed")
            if self._was_stable():
                self._failures = 0
            self._publish(lease, is_connected=False)
            self._stop.wait(self._backoff())

    def _was_stable(self) -> bool:
        """Whether the last connection stayed attached for _STABLE_SECONDS."""
        if self._attached_at is None:
            return False
        return time.monotonic() - self._attached_at > _STABLE_SECONDS

    def _backoff(self) -> float:
        """Seconds until the next attempt: none after the first failure."""
        self._failures += 1
        if self._failures == 1:
            return 0.0
        exponent = min(self._failures - 2, 10)  # a float overflows at 1024
        return min(MAX_BACKOFF_SECONDS, 2.0**exponent)

    def _listen(self, lease: Lease) -> None:
        """Connect, attach and receive until the connection or the lease is lost."""
        conduit_id = self._parts.conduit.ensure()
        self._socket = self._parts.connect(None)
        try:
            if self._stop.is_set() or self._lease() != lease:
                return  # a successor may have attached its connection already
            self._attach(conduit_id, self._socket)
            self._attached_at = time.monotonic()
            self._report(None)
            self._after_attach(conduit_id, lease)
            self._receive_all(lease)
        finally:
            self._socket.close()

    def _attach(self, conduit_id: str, socket: EventSubSocket) -> None:
        try:
            self._parts.conduit.attach(conduit_id, socket.session_id)
        except NotFound:
            # Twitch deleted it after `ensure`: the next attempt creates another.
            raise ConnectionLost("Twitch no longer has the conduit.") from None

    def _after_attach(self, conduit_id: str, lease: Lease) -> None:
        """Poll for missed changes, and let the reconciliation use the conduit."""
        self._state = replace(self._state, reconnects=self._connections)
        self._connections += 1
        self._publish(lease, is_connected=True)
        if conduit_id != self._attached_conduit:
            self._parts.coordination.request_job(RECONCILE)
            self._attached_conduit = conduit_id
        threading.Thread(
            target=self._poll_everyone, args=(lease,), name="poll-after-loss", daemon=True
        ).start()

    def _poll_everyone(self, lease: Lease) -> None:
        try:
            self._parts.poll_all(lease)
        except LeadershipLost:
            log.info("Another worker has taken over and polls everyone")
        except (TwitchError, StorageError) as error:
            log.warning("Not everyone could be polled after the connection was lost: %s", error)
            self._request(REFRESH)
        except Exception:
            log.exception("Polling after a lost connection failed")

    def _request(self, job: str) -> None:
        try:
            self._parts.coordination.request_job(job)
        except StorageError as error:
            log.warning("Job %s could not be requested: %s", job, error)

    def _receive_all(self, lease: Lease) -> None:
        """Receive until the lease is lost or the handover is complete. Raises ConnectionLost."""
        published_at = time.monotonic()
        check = ShardCheck(self._parts.conduit)
        stop_by: float | None = None
        while True:
            if self._stop.is_set():
                stop_by = stop_by or time.monotonic() + HANDOVER_SECONDS
                if self._is_handed_over(lease, stop_by):
                    return
            elif self._lease() != lease:
                log.info("This worker no longer leads: closing the connection to EventSub")
                return
            elif time.monotonic() - published_at > _PUBLISH_SECONDS:
                published_at = time.monotonic()
                self._publish(lease, is_connected=True)
                check.raise_or_start()
            self._receive_one()

    def _receive_one(self) -> None:
        assert self._socket is not None  # noqa: S101  set before receiving
        message = self._socket.receive(_POLL_SECONDS)
        if message is None:
            return
        self._state = replace(self._state, last_message_at=time.time())
        match message:
            case Reconnect(url):
                old, self._socket = self._socket, self._parts.connect(url)
                self._replace(old)
            case Keepalive() | Welcome():
                pass
            case _:
                self._store(message)

    def _replace(self, old: EventSubSocket) -> None:
        """Drain and close the connection that Twitch asked to replace. Twitch moves the shard to
        the new one by itself."""
        log.info("Reconnected to EventSub as Twitch asked")
        self._state = replace(self._state, reconnects=self._connections)
        self._connections += 1
        drain_by = time.monotonic() + _DRAIN_SECONDS
        try:
            while time.monotonic() < drain_by:
                message = old.receive(0.1)
                if message is None:
                    break
                if not isinstance(message, Reconnect | Keepalive | Welcome):
                    self._store(message)
        except ConnectionLost:
            log.debug("Twitch closed the old connection first")
        finally:
            old.close()

    def _store(self, message: Message) -> None:
        """Store one message before the next is read. While the storage is unavailable, retry for
        _MAX_STORAGE_SECONDS; then raise StorageUnavailable."""
        retry_until = time.monotonic() + _MAX_STORAGE_SECONDS
        while True:
            try:
                self._parts.count(self._parts.receiver.process(message).outcome)
            except StorageUnavailable as error:
                self._report(f"A message could not be stored: {error}")
                is_over = time.monotonic() > retry_until
                if is_over or self._stop.wait(_RETRY_STORAGE_SECONDS):
                    raise
            else:
                self._report(None)
                return

    def _is_handed_over(self, lease: Lease, stop_by: float) -> bool:
        if not self._parts.is_shared or time.monotonic() > stop_by:
            return True
        try:
            state = eventsub_state(self._parts.coordination)
        except StorageError:
            return False
        return state.is_connected and state.fence > lease.fence

    def _publish(self, lease: Lease, *, is_connected: bool) -> None:
        """Publish the state, unless another process holds the lease by now."""
        if self._lease() != lease:
            return
        self._state = replace(self._state, is_connected=is_connected, fence=lease.fence)
        try:
            publish_eventsub_state(self._parts.coordination, self._state)
        except StorageError as error:
            self._report(f"The state of EventSub could not be published: {error}")

    def _report(self, problem: str | None) -> None:
        """Log a problem when it begins or changes, and when it is over."""
        if problem and problem != self._problem:
            log.warning("EventSub: %s", problem)
        if self._problem and not problem:
            log.info("EventSub is connected again")
        self._problem = problem
