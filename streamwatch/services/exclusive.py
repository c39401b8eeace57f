"""Work that one process at a time may do, whichever process that is."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streamwatch.services.errors import AlreadyRunning
from streamwatch.storage.base import Coordination

_SECONDS = 60.0
"""How long the work stays barred after the process that did it has died; and the longest step."""


@contextmanager
def exclusively(coordination: Coordination, work: str) -> Iterator[Callable[[], None]]:
    """Do `work` while no other process does. Gives a function to call after each step, which holds
    on to the right; it, and this, raise AlreadyRunning where another process has it."""
    lease = coordination.acquire_lease(work, secrets.token_hex(8), _SECONDS)
    if lease is None:
        raise AlreadyRunning(work)

    def hold() -> None:
        if not coordination.renew_lease(lease, _SECONDS):
            raise AlreadyRunning(work)

    try:
        yield hold
    finally:
        coordination.release_lease(lease)
