"""Interactive Twitch calls are not queued behind background calls."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Semaphore

import pytest

from streamwatch.bootstrap import Services, build
from streamwatch.domain.models import Streamer
from streamwatch.settings import Settings
from streamwatch.simulator import Simulator
from streamwatch.simulator.faults import CallFault
from tests.application import application
from tests.messages import CALLBACK, SECRET

SUBSCRIPTIONS = "/helix/eventsub/subscriptions"


@pytest.fixture
def twitch() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def services(twitch: Simulator) -> Iterator[Services]:
    """In memory storage, where web threads and background work share a process."""
    services = build(
        Settings(
            twitch_client_id=twitch.client_id,
            twitch_client_secret=twitch.client_secret,
            twitch_api_url=twitch.api_url,
            twitch_auth_url=twitch.auth_url,
            webhook_url=CALLBACK,
            webhook_secrets=(SECRET,),
        )
    )
    users = [twitch.world.user(login) for login in ("shroud", "quillandcopper")]
    services.storage.add_streamers(
        [Streamer(user.user_id, user.login, user.login, datetime.now(UTC)) for user in users]
    )
    yield services
    services.close()


def test_a_lookup_is_answered_during_a_reconciliation(
    twitch: Simulator, services: Services
) -> None:
    """The four calls of a reconciliation are as many as the calls of half of the web threads."""
    arrived = Semaphore(0)
    fault_of_call = twitch.faults.of_call

    def of_call(path: str) -> CallFault:
        if path == SUBSCRIPTIONS:
            arrived.release()
        return fault_of_call(path)

    twitch.faults.of_call = of_call  # type: ignore[method-assign]
    twitch.faults.on_call(SUBSCRIPTIONS, CallFault(delay=2.5), times=4, after=1)
    client = application(services).test_client()
    with ThreadPoolExecutor(1) as thread:
        reconciliation = thread.submit(services.subscriptions.reconcile)
        for _ in range(5):
            assert arrived.acquire(timeout=10)

        assert client.get("/streamers/nobody_here/status").status_code == 404
        assert not reconciliation.done()
