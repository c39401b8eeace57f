"""The threads that make deliveries of the feed's events and start those that are due."""

import logging
import threading
from collections.abc import Callable

from streamwatch.services.notifications.setup import NotificationServices
from streamwatch.storage.base import Coordination, StorageError, Topic

log = logging.getLogger(__name__)

_READ_SECONDS = 0.25
"""How often the feed is read where no change was published."""

_LOOK_SECONDS = 0.1
"""How often due deliveries are looked for, made by this worker or another."""

_AWAY_SECONDS = 1.0
"""How long a storage that does not answer is left alone."""

_STOP_SECONDS = 2.0


class NotificationThreads:
    """Two loops until they are stopped. Every worker may have them, the leader or not. Requests
    under way are abandoned at the end: their deliveries are attempted again."""

    def __init__(self, services: NotificationServices, coordination: Coordination) -> None:
        self._services = services
        self._coordination = coordination
        self._stopped = threading.Event()
        self._changed = threading.Event()
        self._made = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._loop, args=loop, name=f"notifications-{loop[0]}", daemon=True
            )
            for loop in (
                ("reader", self._read, self._changed, _READ_SECONDS),
                ("dispatcher", self._dispatch, self._made, _LOOK_SECONDS),
            )
        ]

    def start(self) -> None:
        self._listener = self._coordination.listen_for_changes(self._on_change)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both loops; waits for what they are doing for a moment."""
        self._stopped.set()
        self._changed.set()
        self._made.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)

    def _on_change(self, topic: str | None) -> None:
        if topic in (Topic.EVENTS, None):
            self._changed.set()

    def _read(self) -> bool:
        """Make deliveries; whether there may be more to read."""
        count = self._services.reader.run_once()
        if count:
            self._made.set()
        return count > 0

    def _dispatch(self) -> bool:
        self._services.dispatcher.run_once()
        return False

    def _loop(
        self, what: str, work: Callable[[], bool], wake: threading.Event, seconds: float
    ) -> None:
        problem = ""
        pause = 0.0
        while not self._stopped.is_set():
            wake.wait(pause)
            wake.clear()
            try:
                pause = 0.0 if work() else seconds
                if problem:
                    log.info("Notifications (%s) go on", what)
                problem = ""
            except StorageError as error:
                pause = _AWAY_SECONDS
                if not problem:
                    log.warning("Notifications (%s) wait: %s", what, error)
                problem = str(error)
            except Exception:
                pause = _AWAY_SECONDS
                log.exception("Notifications (%s) failed", what)
