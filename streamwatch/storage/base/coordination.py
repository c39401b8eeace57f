"""The port of what the processes share: leases, jobs, heartbeats, counters, tokens, changes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from streamwatch.domain.models import AppToken
from streamwatch.storage.base.types import HEARTBEAT_SECONDS, JobRun, Lease, WindowCount


class ChangeListener(ABC):
    """Listens for changes until it is closed: see `Coordination.listen_for_changes`."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether changes are received. While it is False, changes may be missed."""

    @abstractmethod
    def close(self) -> None:
        """Stop listening. May be called more than once."""


class NeverConnected(ChangeListener):
    """The listener of a storage that does not publish changes."""

    @property
    def is_connected(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Coordination(ABC):
    """Data that the processes share so that they can work together."""

    @abstractmethod
    def acquire_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        """Acquire a lease for `seconds`; None if another holder has it. A holder that acquires it
        again gets a new fence."""

    @abstractmethod
    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        """Extend a lease to `seconds` from now; False if it was lost."""

    @abstractmethod
    def release_lease(self, lease: Lease) -> None:
        """Release a lease; does nothing if it was lost."""

    @abstractmethod
    def lease(self, name: str) -> Lease | None:
        """The lease with this name, if it is held."""

    @abstractmethod
    def record_job(self, run: JobRun) -> None:
        """Store the last run of a job."""

    @abstractmethod
    def job_runs(self) -> dict[str, JobRun]:
        """The last run of each job, by name. A run that cannot be read is left out and logged."""

    @abstractmethod
    def request_job(self, name: str) -> None:
        """Request that the leading worker run a job soon."""

    @abstractmethod
    def job_requests(self) -> dict[str, str]:
        """The id of the last request of each job that has one, by name."""

    @abstractmethod
    def complete_job_request(self, name: str, request_id: str) -> None:
        """Clear the request of a job, unless the job was requested again since: a run answers only
        requests that were made before it."""

    @abstractmethod
    def heartbeat(self, at: datetime, seconds: float = HEARTBEAT_SECONDS) -> None:
        """Record that a worker is alive at `at` by its own clock. It counts as alive for
        `seconds`."""

    @abstractmethod
    def is_worker_alive(self) -> bool:
        """Whether a heartbeat has not expired, by the clock of the storage: the clocks of other
        machines may differ."""

    @abstractmethod
    def last_heartbeat(self) -> datetime | None:
        """The time of the last heartbeat by the worker's clock, for display."""

    @abstractmethod
    def add_counts(self, counts: Mapping[str, int]) -> None:
        """Add to the shared counters."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """The shared counters, by name."""

    @abstractmethod
    def publish_metrics(self, name: str, values: Mapping[str, float], seconds: float) -> None:
        """Store values under `name` for `seconds`, replacing earlier ones."""

    @abstractmethod
    def published_metrics(self, name: str) -> dict[str, float]:
        """The values stored under `name`; {} if there are none or they have expired."""

    @abstractmethod
    def increment_window(self, name: str, seconds: float, times: int = 1) -> WindowCount:
        """Increment the counter `name` by `times`, and return it. The first increment opens a
        window of `seconds`, after which the counter starts again."""

    @abstractmethod
    def app_token(self) -> AppToken | None:
        """The shared app access token, if one is stored that has not expired."""

    @abstractmethod
    def save_app_token(self, token: AppToken) -> None:
        """Store the shared app access token until it expires."""

    @abstractmethod
    def conduit_id(self) -> str | None:
        """The id of this installation's EventSub conduit, if one was created."""

    @abstractmethod
    def save_conduit_id(self, conduit_id: str | None) -> None:
        """Store the id of the conduit; None deletes it."""

    @abstractmethod
    def webhook_callbacks(self) -> set[str]:
        """The callbacks on which this installation may have subscriptions."""

    @abstractmethod
    def save_webhook_callbacks(self, callbacks: Collection[str]) -> None:
        """Store these callbacks instead."""

    # Changes. A backend that does not publish changes may leave these two methods as they are.

    def publish_change(self, topic: str) -> None:  # noqa: B027  optional for a backend
        """Publish to all processes that data of `topic` changed. For data that is stored elsewhere
        (analytics): the methods of this port publish their own changes."""

    def listen_for_changes(
        self,
        on_change: Callable[[str | None], None],  # noqa: ARG002  never called by this default
    ) -> ChangeListener:
        """Call `on_change` with the topic of each change that this or another process makes.

        For a change made through this object it is called before the method that made the change
        returns; for one made elsewhere, within milliseconds. `on_change(None)` means that anything
        may have changed: after a connection was made, and after it was lost. The calls come from
        several threads, also concurrently; `on_change` must return soon and must not raise.

        Returns at once and connects in a thread: call it in the process that needs it, not before a
        fork.
        """
        return NeverConnected()
