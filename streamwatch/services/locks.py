"""Work that one process at a time may do, whichever process that is."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from streamwatch.services.errors import AlreadyRunning
from streamwatch.storage.base import Coordination, Lease, StorageUnavailable

log = logging.getLogger(__name__)

_SECONDS = 6.0
"""How long the work stays barred after its process has died: no longer than the leader's lease
stands, so that the next leader can begin with it."""


LEADER_LEASE = "leader"
"""The name of the lease that the leading worker holds."""


def process_name() -> str:
    """A name for this process that no other process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@contextmanager
def distributed_lock(coordination: Coordination, work: str) -> Iterator[Callable[[], None]]:
    """Do `work` while no other process does.

    Raises AlreadyRunning where another does. Gives a function to call between the steps of the
    work, which raises it where the right to go on was lost.
    """
    lease = coordination.acquire_lease(work, secrets.token_hex(8), _SECONDS)
    if lease is None:
        raise AlreadyRunning(work)

    def hold() -> None:
        if not coordination.renew_lease(lease, _SECONDS):
            raise AlreadyRunning(work)

    done = Event()
    keeper = Thread(target=_keep, args=(coordination, lease, done), name=work, daemon=True)
    keeper.start()
    try:
        yield hold
    finally:
        done.set()
        keeper.join()
        coordination.release_lease(lease)


def _keep(coordination: Coordination, lease: Lease, done: Event) -> None:
    """Hold on to `lease` through steps that take longer than it stands. Whether it was lost, the
    work finds out between two steps."""
    while not done.wait(_SECONDS / 3):
        try:
            coordination.renew_lease(lease, _SECONDS)
        except StorageUnavailable as error:
            log.warning("The right to %s could not be renewed: %s", lease.name, error)
