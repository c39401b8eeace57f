"""What /health says of EventSub and Twitch."""

import pytest

from streamwatch.domain.models import Subscription
from streamwatch.services.monitoring.health import HealthCheck
from streamwatch.services.monitoring.published_metrics import publish_subscriptions
from streamwatch.services.monitoring.twitch_state import (
    REPUBLISH_SECONDS,
    TwitchMonitor,
    TwitchState,
)
from streamwatch.services.subscriptions.eventsub_state import (
    EventSubState,
    publish_eventsub_state,
)
from streamwatch.services.subscriptions.transport import Method
from streamwatch.storage.memory import MemoryStorage
from tests.api.world import FakeAnalytics
from tests.clocks import ManualMonotonicClock
from tests.services.fake_twitch import StrictTwitch


def check(storage: MemoryStorage, method: Method, *, has_credentials: bool = True) -> HealthCheck:
    return HealthCheck(storage, FakeAnalytics(), method=method, has_credentials=has_credentials)


def publish(storage: MemoryStorage, *subscriptions: Subscription, missing: int = 0) -> None:
    publish_subscriptions(storage.coordination, subscriptions, 2, 10_000, 0, missing)


def test_without_a_transport_eventsub_is_off() -> None:
    health = check(MemoryStorage(), Method.NONE, has_credentials=False).check()
    assert (health.status, health.eventsub, health.twitch) == ("healthy", "off", "not configured")


def test_a_conduit_is_connected_once_its_shard_is_attached() -> None:
    storage = MemoryStorage()
    assert check(storage, Method.CONDUIT).check().eventsub == "disconnected"
    assert check(storage, Method.CONDUIT).check().status == "degraded"
    publish_eventsub_state(storage.coordination, EventSubState(is_connected=True))
    assert check(storage, Method.CONDUIT).check().eventsub == "connected"
    assert check(storage, Method.CONDUIT).check().status == "healthy"


@pytest.mark.parametrize(
    ("status", "missing", "eventsub"),
    [
        ("enabled", 0, "connected"),
        ("webhook_callback_verification_pending", 0, "connected"),
        ("webhook_callback_verification_failed", 0, "disconnected"),
        ("enabled", 1, "disconnected"),
    ],
)
def test_the_webhook_is_connected_while_no_required_subscription_is_missing(
    status: str, missing: int, eventsub: str
) -> None:
    storage = MemoryStorage()
    put = StrictTwitch().put("stream.online", "1", "https://example.com", status)
    publish(storage, put, missing=missing)
    assert check(storage, Method.WEBHOOK).check().eventsub == eventsub


@pytest.mark.parametrize(
    ("path", "status", "state"),
    [
        ("/users", 200, TwitchState.OK),
        ("/users", 429, TwitchState.OK),
        ("/users", 401, TwitchState.REFUSED),
        ("/token", 400, TwitchState.REFUSED),
        ("/token", 403, TwitchState.REFUSED),
        ("/users", 503, TwitchState.UNREACHABLE),
        ("/users", 0, TwitchState.UNREACHABLE),
    ],
)
def test_twitch_is_as_it_was_at_the_last_call(path: str, status: int, state: TwitchState) -> None:
    storage = MemoryStorage()
    monitor = TwitchMonitor(storage.coordination)
    assert check(storage, Method.NONE).check().twitch == TwitchState.OK
    monitor.observe(path, status)
    health = check(storage, Method.NONE).check()
    assert health.twitch == state
    assert health.status == ("degraded" if state is TwitchState.REFUSED else "healthy")
    monitor.observe("/users", 200)
    assert check(storage, Method.NONE).check().twitch == TwitchState.OK


def test_a_process_that_calls_again_corrects_the_state_of_another_process() -> None:
    storage, clock = MemoryStorage(), ManualMonotonicClock()
    worker = TwitchMonitor(storage.coordination, clock)
    web = TwitchMonitor(storage.coordination, clock)
    worker.observe("/streams", 200)
    web.observe("/users", 0)
    assert check(storage, Method.NONE).check().twitch == TwitchState.UNREACHABLE
    clock.advance(REPUBLISH_SECONDS)
    worker.observe("/streams", 200)
    assert check(storage, Method.NONE).check().twitch == TwitchState.OK
