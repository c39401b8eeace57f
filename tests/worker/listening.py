"""StreamWatch on a simulated Twitch, receiving through a conduit, in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from streamwatch.bootstrap import Services, build
from streamwatch.settings import Settings
from streamwatch.simulator import Simulator
from streamwatch.storage.base import Lease
from streamwatch.worker.eventsub_listener import EventSubListener, ListenerParts
from tests.waiting import wait_for


@dataclass
class Worker:
    """A worker whose lease a test gives and takes."""

    services: Services
    is_shared: bool = True
    lease: Lease | None = None
    polls: int = 0
    outcomes: list[str] = field(default_factory=list)
    listener: EventSubListener = field(init=False)

    def __post_init__(self) -> None:
        parts = ListenerParts(
            coordination=self.services.storage.coordination,
            conduit=self.services.conduit,
            receiver=self.services.receiver,
            connect=self.services.connect_eventsub,
            poll_all=self._poll,
            count=self.outcomes.append,
            is_shared=self.is_shared,
        )
        self.listener = EventSubListener(parts, lambda: self.lease)
        self.listener.start()

    def lead(self, fence: int = 1) -> None:
        self.lease = Lease("leader", f"worker-{fence}", fence)

    def stop(self) -> None:
        self.listener.stop(10)

    def _poll(self, lease: Lease) -> None:
        self.services.poller.poll_all(None)
        self.polls += 1


def settings_for(twitch: Simulator, **changed: Any) -> Settings:
    values: dict[str, Any] = {
        "twitch_client_id": twitch.client_id,
        "twitch_client_secret": twitch.client_secret,
        "twitch_api_url": twitch.api_url,
        "twitch_auth_url": twitch.auth_url,
        "twitch_eventsub_url": twitch.eventsub_url,
        "watch_updates": False,
    }
    return Settings(**values | changed)


def is_attached(twitch: Simulator) -> bool:
    """Whether a shard of one of the conduits delivers to a session."""
    return any(twitch.conduits.shards(conduit.id, "enabled") for conduit in twitch.conduits.all())


def is_live(services: Services, login: str) -> bool:
    status = services.storage.find_status(login)
    return status is not None and status.is_live


@contextmanager
def watching(
    twitch: Simulator, *logins: str, is_shared: bool = False, **settings: Any
) -> Iterator[Worker]:
    """A leading worker that is attached and subscribed to `logins`. With `is_shared`, its end waits
    for a successor."""
    services = build(settings_for(twitch, **settings))
    worker = Worker(services, is_shared)
    try:
        services.streamers.add_many(logins)
        worker.lead()
        wait_for(lambda: is_attached(twitch), 20)
        services.subscriptions.reconcile()
        wait_for(lambda: worker.polls > 0, 20)
        yield worker
    finally:
        worker.stop()
        services.close()
