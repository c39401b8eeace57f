"""Leader election among the workers."""

from collections.abc import Callable
from datetime import datetime

from streamwatch.services.locks import LEADER_LEASE, RenewedLease
from streamwatch.storage.base import Coordination, Lease

LEASE_SECONDS = 9.0
"""How long the lease of a dead leader lasts. Another worker then refreshes within 15 seconds."""


class Leadership:
    """Tries to lead until stopped, and sends the heartbeat of this worker."""

    def __init__(
        self,
        coordination: Coordination,
        clock: Callable[[], datetime],
        holder: str,
        seconds: float = LEASE_SECONDS,
    ) -> None:
        self._renewed = RenewedLease(
            coordination,
            LEADER_LEASE,
            holder,
            seconds,
            reacquires=True,
            # After the renewal: a Redis without free memory refuses the heartbeat, but the leader
            # must keep the lease, because it trims the feed.
            after_renewal=lambda: coordination.heartbeat(clock()),
        )

    @property
    def lease(self) -> Lease | None:
        """The lease while this process leads."""
        return self._renewed.lease

    def start(self) -> None:
        self._renewed.start()

    def request_stop(self) -> None:
        """Make the thread release the lease and end, without waiting for it."""
        self._renewed.request_stop()

    def stop(self) -> None:
        """Release the lease, so that another worker can lead at once."""
        self._renewed.stop()
