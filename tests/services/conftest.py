"""All services on memory storage, with a fake Twitch and a manual clock."""

from dataclasses import dataclass, field

import pytest

from streamwatch.bootstrap import Services, assemble
from streamwatch.settings import Settings
from streamwatch.storage.memory import MemoryStorage
from tests.api.world import FakeAnalytics
from tests.clocks import ManualClock
from tests.fakes import FakeTwitch
from tests.messages import CALLBACK, SECRET


@dataclass
class World:
    """The services, and what they are built on."""

    clock: ManualClock = field(default_factory=ManualClock)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    twitch: FakeTwitch = field(init=False)
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        self.twitch = FakeTwitch(clock=self.clock)
        settings = Settings(webhook_url=CALLBACK, webhook_secrets=(SECRET,))
        self.services = assemble(settings, self.storage, self.twitch, FakeAnalytics(), self.clock)

    def live(self) -> list[str]:
        return [item.status.login for item in self.services.live_directory.find()]

    def events(self) -> list[str]:
        return [f"{event.event_type} {event.source}" for event in self.storage.events(1000)]


@pytest.fixture
def world() -> World:
    return World()
