"""Leases that a thread renews, and distributed locks based on them."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from streamwatch.services.errors import AlreadyRunning
from streamwatch.storage.base import Coordination, Lease, StorageError

log = logging.getLogger(__name__)

LOCK_SECONDS = 6.0
"""How long a lock stays locked after its process has died. No longer than the leader's lease, so
that the next leader can take the lock at once."""

LEADER_LEASE = "leader"
"""The name of the lease that the leading worker holds."""


def process_name() -> str:
    """A unique name for this process."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class RenewedLease:
    """A lease that a thread renews at every third of its duration.

    With `reacquires`, the thread also acquires the lease whenever no other process holds it.
    `after_renewal` is called after each try; it may raise StorageError.
    """

    def __init__(
        self,
        coordination: Coordination,
        name: str,
        holder: str,
        seconds: float,
        *,
        reacquires: bool = False,
        after_renewal: Callable[[], None] = lambda: None,
    ) -> None:
        self._coordination = coordination
        self._name = name
        self._holder = holder
        self._seconds = seconds
        self._reacquires = reacquires
        self._after_renewal = after_renewal
        self._lease: Lease | None = None
        self._expires_at = 0.0
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def lease(self) -> Lease | None:
        """The lease, unless it was lost or may have expired. Writes must still be fenced by it: the
        process may be paused between this check and the write."""
        lease = self._lease
        return lease if lease and time.monotonic() < self._expires_at else None

    def acquire(self) -> bool:
        """Acquire the lease. False if another process holds it. Raises StorageError."""
        asked_at = time.monotonic()
        self._lease = self._coordination.acquire_lease(self._name, self._holder, self._seconds)
        self._expires_at = asked_at + self._seconds
        return self._lease is not None

    def renew(self) -> bool:
        """Renew the lease now. False if it was lost. Raises StorageError."""
        lease, asked_at = self._lease, time.monotonic()
        if lease is None or not self._coordination.renew_lease(lease, self._seconds):
            self._lease = None
            return False
        self._expires_at = asked_at + self._seconds
        return True

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Make the thread release the lease and end, without waiting for it."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop renewing, and release the lease."""
        self._stopping.set()
        self._thread.join(self._seconds)
        self._release()

    def _release(self) -> None:
        lease, self._lease = self._lease, None
        if lease is None:
            return
        try:
            self._coordination.release_lease(lease)
        except StorageError as error:
            log.warning("The lease %s could not be released and will expire: %s", self._name, error)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._renew_or_acquire()
                self._after_renewal()
            except StorageError as error:
                log.warning("The lease %s could not be renewed: %s", self._name, error)
            self._stopping.wait(self._seconds / 3)
        self._release()

    def _renew_or_acquire(self) -> None:
        if self._lease is not None and not self.renew():
            log.warning(
                "The lease %s was lost: it expired, or has passed to another process", self._name
            )
        if self._lease is None and self._reacquires and self.acquire():
            log.info("This process holds the lease %s now", self._name)


@contextmanager
def distributed_lock(coordination: Coordination, work: str) -> Iterator[Callable[[], None]]:
    """Hold the lock `work`, which only one process at a time can hold.

    Raises AlreadyRunning if another process holds it. Yields a function to call between the steps
    of the work: it raises AlreadyRunning if the lock was lost.
    """
    renewed = RenewedLease(coordination, work, secrets.token_hex(8), LOCK_SECONDS)
    if not renewed.acquire():
        raise AlreadyRunning(work)

    def check_still_held() -> None:
        if not renewed.renew():
            raise AlreadyRunning(work)

    renewed.start()
    try:
        yield check_still_held
    finally:
        renewed.stop()
