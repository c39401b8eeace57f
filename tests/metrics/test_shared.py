"""What the metrics say, through the web."""

import re
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from streamwatch.services.monitoring.published_metrics import (
    publish_rate_limit,
    published_rate_limit,
)
from streamwatch.settings import KeyRequirement
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import RateLimitState
from tests import messages
from tests.api.world import World, build_world

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def figures(world: World, name: str, label: str = "") -> dict[str, float]:
    """The samples of a metric, by one of its labels."""
    families = text_string_to_metric_families(world.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.labels.get(label, ""): sample.value
        for sample in samples
        if sample.name == f"streamwatch_{name}"
    }


def test_viewers_are_exported_for_the_biggest_streams_only() -> None:
    world = build_world()
    for number in range(120):
        user = world.twitch.add_user(f"streamer_{number}")
        world.twitch.go_live(user, viewer_count=number)
    world.post("/streamers", json={"usernames": [f"streamer_{n}" for n in range(120)]})
    world.app.extensions["streamwatch"].poller.poll_all()
    viewers = figures(world, "stream_viewers", "login")
    assert viewers == {f"streamer_{number}": number for number in range(20, 120)}
    assert figures(world, "live_streamers") == {"": 120}


def test_client_input_never_becomes_a_label() -> None:
    world = build_world()
    world.get("/made/up")
    world.client.open("/events", method="MADEUP")
    world.get("/streamers/made_up/status")
    world.get("/events")
    exposition = world.get("/metrics").text
    assert not re.search("made.?up", exposition, re.IGNORECASE)
    assert {"none", "/events"} <= figures(world, "http_requests_total", "route").keys()
    assert "other" in figures(world, "http_requests_total", "method")


def test_metrics_need_a_key_where_the_api_does_and_count_refused_requests() -> None:
    world = build_world(require_api_key=KeyRequirement.ALL, api_keys=("an-api-key",))

    def refused() -> float:
        answer = world.get("/metrics", headers={"Authorization": "Bearer an-api-key"})
        assert answer.status_code == 200
        return sum(
            sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == "streamwatch_http_requests_total"
            and (sample.labels["route"], sample.labels["status"]) == ("/metrics", "401")
        )

    before = refused()
    assert world.get("/metrics").status_code == 401
    assert refused() == before + 1


def test_messages_count_as_requests_whether_accepted_or_not() -> None:
    world = build_world()
    for message in (messages.online(), messages.online(secret="another-secret")):
        world.client.post("/webhooks/eventsub", data=message.body, headers=message.headers)
    families = text_string_to_metric_families(world.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    took = {
        (sample.labels["method"], sample.labels["status"])
        for sample in samples
        if sample.name == "streamwatch_http_requests_total"
        and sample.labels["route"] == "/webhooks/eventsub"
    }
    assert {("POST", "204"), ("POST", "403")} <= took


def test_without_a_webhook_url_no_subscription_is_missing() -> None:
    world = build_world(webhook_url=None)
    world.add("shroud")
    assert figures(world, "subscriptions_wanted") == {"": 0}
    assert figures(world, "subscriptions_missing") == {"": 0}


def test_a_subscription_that_is_gone_is_missing_at_once() -> None:
    world = build_world()
    world.add("shroud")
    assert figures(world, "subscriptions_missing") == {"": 0}
    world.app.extensions["streamwatch"].subscriptions.cleanup()
    assert figures(world, "subscriptions_missing") == {"": 2}


def test_subscriptions_and_cost_are_exported_after_a_reconciliation() -> None:
    world = build_world()
    world.add("shroud")
    services = world.app.extensions["streamwatch"]
    for subscription_id in list(world.twitch.subscribed)[:1]:
        world.twitch.unsubscribe(subscription_id)
    services.subscriptions.reconcile()
    assert figures(world, "subscriptions", "status") == {"enabled": 2}
    assert figures(world, "subscription_cost") == {"": 2}
    services.subscriptions.cleanup()
    assert figures(world, "subscriptions", "status") == {}
    assert figures(world, "subscription_cost") == {"": 0}


def test_outcome_counters_start_at_zero() -> None:
    outcomes = figures(build_world(), "webhook_messages_total", "outcome")
    assert outcomes["refused:forged"] == outcomes["accepted"] == 0


def test_storage_up_is_0_while_the_storage_is_down() -> None:
    world = build_world()
    world.storage.error = StorageUnavailable("gone")
    world.analytics.connected = False
    assert figures(world, "storage_up") == {"": 0}
    assert figures(world, "analytics_up") == {"": 0}
    assert figures(world, "live_streamers") == {}
    assert figures(world, "http_requests_total", "route")


def test_the_rate_limit_is_full_again_after_its_reset() -> None:
    coordination = MemoryStorage().coordination
    assert published_rate_limit(coordination, NOW) is None
    publish_rate_limit(coordination, None)
    assert published_rate_limit(coordination, NOW) is None
    published = RateLimitState(800, 3, NOW)
    publish_rate_limit(coordination, published)
    assert published_rate_limit(coordination, NOW - timedelta(seconds=1)) == published
    assert published_rate_limit(coordination, NOW) == RateLimitState(800, 800, NOW)
