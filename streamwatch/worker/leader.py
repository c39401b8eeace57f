"""One leader of many workers: a lease that a thread renews, so that a long job does not lose it."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from streamwatch.services.locks import LEADER_LEASE
from streamwatch.storage.base import Coordination, Lease, StorageUnavailable

log = logging.getLogger(__name__)

LEASE_SECONDS = 9.0
"""How long a dead leader's lease stands. Renewed at a third of it, so that another refreshes within
15 seconds of a leader's death."""


class Leadership:
    """Keeps trying to lead until stopped. Every beat also says that a worker is alive."""

    def __init__(
        self,
        coordination: Coordination,
        clock: Callable[[], datetime],
        holder: str,
        seconds: float = LEASE_SECONDS,
    ) -> None:
        self._coordination = coordination
        self._clock = clock
        self._holder = holder
        self._seconds = seconds
        self._lease: Lease | None = None
        self._holds_until = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leadership", daemon=True)

    @property
    def lease(self) -> Lease | None:
        """The lease while this process surely leads. Writes are fenced by it all the same: the
        process may be paused between looking and writing."""
        lease = self._lease
        return lease if lease and time.monotonic() < self._holds_until else None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop leading, and let another lead at once."""
        self._stop.set()
        self._thread.join(self._seconds)
        lease, self._lease = self._lease, None
        if lease is not None:
            try:
                self._coordination.release_lease(lease)
            except StorageUnavailable:
                log.warning("The lease could not be given back; it ends by itself")

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                self._acquire_or_renew()  # first: a storage that is full refuses the heartbeat
                self._coordination.heartbeat(self._clock())
            except StorageUnavailable as error:
                log.warning("No word from the storage about who leads: %s", error)
            self._stop.wait(self._seconds / 3)

    def _acquire_or_renew(self) -> None:
        asked_at = time.monotonic()
        if self._lease and not self._coordination.renew_lease(self._lease, self._seconds):
            log.warning("Another worker leads now")
            self._lease = None
        if self._lease is None:
            self._lease = self._coordination.acquire_lease(
                LEADER_LEASE, self._holder, self._seconds
            )
            if self._lease:
                log.info("This worker leads")
        if self._lease:
            self._holds_until = asked_at + self._seconds
