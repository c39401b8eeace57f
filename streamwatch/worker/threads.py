"""The threads of a worker beside its jobs: none of them delays a job or another thread.

All of them may be killed at any time: what a thread has not finished is repeated.
"""

from collections.abc import Callable

from streamwatch.bootstrap import Services
from streamwatch.services.analytics.backfills import Backfills
from streamwatch.services.analytics.projector import BATCH as PROJECTOR_BATCH
from streamwatch.services.analytics.projector import Projector
from streamwatch.services.notifications.reader import BATCH as READER_BATCH
from streamwatch.services.notifications.setup import NotificationServices
from streamwatch.services.subscriptions.transport import Method
from streamwatch.storage.base import ChangeListener, Coordination, Lease, NeverConnected, Topic
from streamwatch.worker.eventsub_listener import HANDOVER_SECONDS, EventSubListener, ListenerParts
from streamwatch.worker.repeating_thread import RepeatingThread

PROJECTOR_STOP_SECONDS = 3.0
"""How long the projector may take to finish its batch."""

_BACKFILL_STOP_SECONDS = 1.0
_LISTENER_STOP_SECONDS = HANDOVER_SECONDS + 0.5
_NOTIFICATIONS_STOP_SECONDS = 2.0

_FEED_SECONDS = 0.5
"""How often the projector reads the feed: entries that are projected together cost less."""

_ANALYTICS_RETRY_SECONDS = 3.0

_READ_SECONDS = 0.25
"""How often notifications read the feed where no change was published, or where there are none."""

_DISPATCH_SECONDS = 0.1
"""How often the dispatcher checks for due deliveries: another worker may have created them."""

_STANDBY_SECONDS = 1.0
"""How often a standby checks whether it leads."""


class WorkerThreads:
    """The threads of one worker. `lease` returns the leader's lease while this worker leads."""

    def __init__(self, services: Services, lease: Callable[[], Lease | None]) -> None:
        self._listener = _eventsub_listener(services, lease)
        self._projector = projector_thread(services.projector)
        self._notifications = NotificationThreads(
            services.notifications, services.storage.coordination
        )
        self._backfills = backfill_thread(services.backfills, lambda: lease() is not None)

    def start(self) -> None:
        if self._listener is not None:
            self._listener.start()
        self._projector.start()
        self._notifications.start()
        self._backfills.start()

    def request_stop(self) -> None:
        """Ask all threads to end, without waiting. The listener begins to hand the WebSocket over
        to another worker."""
        if self._listener is not None:
            self._listener.request_stop()
        self._backfills.request_stop()
        self._notifications.request_stop()
        self._projector.request_stop()

    def stop(self) -> None:
        """End all threads. Waits until the longest of the limits of this module, counted from the
        first request to stop, has passed."""
        self.request_stop()
        self._backfills.stop(_BACKFILL_STOP_SECONDS)
        self._notifications.stop()
        if self._listener is not None:
            self._listener.stop(_LISTENER_STOP_SECONDS)
        self._projector.stop(PROJECTOR_STOP_SECONDS)


class NotificationThreads:
    """The thread that makes deliveries of the feed's events, and the one that starts those that are
    due. Every worker has both, the leader or not."""

    def __init__(self, services: NotificationServices, coordination: Coordination) -> None:
        self._services = services
        self._coordination = coordination
        self._changes: ChangeListener = NeverConnected()
        self._reader = RepeatingThread(
            "notifications-reader", "Reading events for notifications", self._read
        )
        self._dispatcher = RepeatingThread(
            "notifications-dispatcher", "Sending notifications", self._dispatch
        )

    def start(self) -> None:
        self._changes = self._coordination.listen_for_changes(self._on_change)
        self._reader.start()
        self._dispatcher.start()

    def request_stop(self) -> None:
        """Ask both threads to end, without waiting."""
        self._reader.request_stop()
        self._dispatcher.request_stop()

    def stop(self) -> None:
        """End both threads. Requests that are running are abandoned and attempted again later."""
        self.request_stop()
        self._changes.close()
        self._reader.stop(_NOTIFICATIONS_STOP_SECONDS)
        self._dispatcher.stop(_NOTIFICATIONS_STOP_SECONDS)

    def _on_change(self, topic: str | None) -> None:
        # Without notifications, the feed is read only so that it can be trimmed.
        if topic in (Topic.EVENTS, None) and self._services.reader.has_notifications:
            self._reader.wake()

    def _read(self) -> float:
        read = self._services.reader.run_once()
        if read and self._services.reader.has_notifications:
            self._dispatcher.wake()
            return 0.0
        return 0.0 if read >= READER_BATCH else _READ_SECONDS

    def _dispatch(self) -> float:
        self._services.dispatcher.run_once()
        return _DISPATCH_SECONDS


def projector_thread(projector: Projector) -> RepeatingThread:
    """The thread that projects the feed into the analytics. Every worker has one, the leader or
    not."""

    def project() -> float:
        return 0.0 if projector.run_once() >= PROJECTOR_BATCH else _FEED_SECONDS

    return RepeatingThread(
        "projector", "Projecting the feed into the analytics", project, _ANALYTICS_RETRY_SECONDS
    )


def backfill_thread(
    backfills: Backfills, is_leading: Callable[[], bool], retry_seconds: float = 1.0
) -> RepeatingThread:
    """The thread that reads archived videos while this worker leads."""

    def check() -> float:
        return backfills.run_next() if is_leading() else _STANDBY_SECONDS

    return RepeatingThread("backfill", "Reading archived videos", check, retry_seconds)


def _eventsub_listener(
    services: Services, lease: Callable[[], Lease | None]
) -> EventSubListener | None:
    """The listener, if events arrive through a conduit."""
    if services.subscriptions.method is not Method.CONDUIT:
        return None
    parts = ListenerParts(
        coordination=services.storage.coordination,
        conduit=services.conduit,
        receiver=services.receiver,
        connect=services.connect_eventsub,
        poll_all=services.poller.poll_all,
        count=services.message_counters.count,
        is_shared=services.storage.shared,
    )
    return EventSubListener(parts, lease)
