from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from streamwatch.domain.models import EventType
from streamwatch.domain.subscriptions import DesiredSubscription, WebhookTransport
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.settings import Settings
from streamwatch.storage.base import FeedEntry, JobRun, StorageUnavailable
from streamwatch.twitch.base import (
    RateLimitState,
    TwitchBusy,
    TwitchNotConfigured,
    TwitchUnavailable,
)
from tests import messages
from tests.api.world import World, build_world, problem
from tests.fakes import FakeTwitch
from tests.messages import CALLBACK, SECRET

KEY = {"Authorization": "Bearer a-key"}
STRANGERS = "https://elsewhere.example.com/hook"
ACTIONS = (
    ("GET", "/admin/subscriptions"),
    ("POST", "/admin/verify-subscriptions"),
    ("POST", "/admin/cleanup-subscriptions"),
    ("POST", "/admin/delete-all-subscriptions"),
)


@pytest.fixture
def world() -> World:
    return build_world(api_keys=("a-key",), default_streamers=("shroud", "nobody"))


def get(world: World, path: str) -> Any:
    return answered(world.get(path, headers=KEY))


def post(world: World, path: str) -> Any:
    return answered(world.post(path, headers=KEY))


def answered(response: TestResponse) -> Any:
    assert response.status_code == 200, response.text
    return response.get_json()


def subscribe(world: World, user_id: str, callback: str = CALLBACK) -> str:
    wanted = DesiredSubscription(EventType.ONLINE, user_id)
    return world.twitch.subscribe(wanted, WebhookTransport(callback, SECRET)).id


def test_the_listing_separates_our_subscriptions_from_others(world: World) -> None:
    world.add("shroud")
    stranger = subscribe(world, "9", STRANGERS)
    answer = get(world, "/admin/subscriptions")
    [other] = answer["other_subscriptions"]
    assert set(other) == {"id", "type", "status", "condition", "created_at", "cost"}
    assert (other["id"], other["condition"]) == (stranger, {"broadcaster_user_id": "9"})
    assert {subscription["type"] for subscription in answer["subscriptions"]} == {
        "stream.online",
        "stream.offline",
    }
    del answer["subscriptions"], answer["other_subscriptions"]
    assert answer == {
        "total_subscriptions": 3,
        "our_subscriptions_count": 2,
        "other_subscriptions_count": 1,
        "webhook_url": CALLBACK,
        "transport": "webhook",
        "conduit": None,
        "updates_without_room": 0,
        "costs": {"total_cost": 3, "max_total_cost": 10_000},
    }


def test_a_verification_repairs_and_reports_its_counts(world: World) -> None:
    world.add("shroud")
    stray = subscribe(world, "9")
    lost = next(iter(world.twitch.subscribed))
    del world.twitch.subscribed[lost]
    assert post(world, "/admin/verify-subscriptions") == {
        "message": "All subscriptions are active.",
        "status": "healthy",
        "checked": 2,
        "healthy": 1,
        "created": 1,
        "deleted": 1,
        "failed": 0,
        "refused": 0,
    }
    assert stray not in world.twitch.subscribed
    [streamer] = world.get("/streamers").get_json()["streamers"]
    assert streamer["is_active"]


def test_a_verification_beyond_the_limit_says_so(world: World) -> None:
    world.twitch.max_total_cost = 2
    world.add("shroud")
    world.twitch.add_user("summit1g")
    world.post("/streamers", json={"usernames": ["summit1g"]})
    answer = post(world, "/admin/verify-subscriptions")
    assert (answer["status"], answer["failed"]) == ("limited", 2)
    assert "limit" in answer["message"]


def test_without_a_webhook_url_a_verification_says_so() -> None:
    world = build_world(api_keys=("a-key",), webhook_url=None)
    assert post(world, "/admin/verify-subscriptions")["status"] == "disabled"
    assert get(world, "/admin/subscriptions")["webhook_url"] is None


def test_cleanup_deletes_ours_alone(world: World) -> None:
    world.add("shroud")
    stranger = subscribe(world, "9", STRANGERS)
    answer = post(world, "/admin/cleanup-subscriptions")
    assert answer == {"message": "Deleted 2 subscriptions.", "cleanup_count": 2}
    assert list(world.twitch.subscribed) == [stranger]
    [streamer] = world.get("/streamers").get_json()["streamers"]
    assert not streamer["is_active"]


def test_delete_all_includes_subscriptions_of_other_instances_and_warns(world: World) -> None:
    world.add("shroud")
    subscribe(world, "9", STRANGERS)
    answer = post(world, "/admin/delete-all-subscriptions")
    assert answer["deleted_count"] == 3
    assert answer["warning"]
    assert not world.twitch.subscribed


def test_the_default_streamers_are_added_again(world: World) -> None:
    world.add("shroud")
    world.delete("/streamers/shroud")
    assert post(world, "/admin/reload-default-streamers") == {
        "message": "Added 1 of 2 default streamers.",
        "added": ["shroud"],
        "existing": [],
        "not_found": ["nobody"],
        "failed": [],
    }


@pytest.mark.parametrize(("method", "path"), ACTIONS)
def test_twitch_failing_is_a_502_and_not_configured_a_503(
    world: World, method: str, path: str
) -> None:
    world.twitch.error = TwitchUnavailable("Twitch did not answer.")
    problem(world.call(method, path, headers=KEY), 502)
    world.twitch.error = TwitchBusy("busy", 7)
    assert world.call(method, path, headers=KEY).headers["Retry-After"] == "7"
    world.twitch.error = TwitchNotConfigured("not configured")
    problem(world.call(method, path, headers=KEY), 503)


@pytest.mark.parametrize("path", [path for method, path in ACTIONS if method == "POST"])
def test_while_another_process_does_it_the_answer_is_409(world: World, path: str) -> None:
    world.storage.coordination.acquire_lease(RECONCILE, "another", 60)
    response = world.post(path, headers=KEY)
    assert "Another process" in problem(response, 409)["detail"]
    assert response.headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("method", "path"),
    [*ACTIONS, ("POST", "/admin/reload-default-streamers"), ("GET", "/admin/diagnostics")],
)
def test_every_path_needs_a_key(world: World, method: str, path: str) -> None:
    problem(world.call(method, path), 401)
    keyless = build_world()
    assert "API_KEY" in problem(keyless.call(method, path, headers=KEY), 403)["detail"]


def diagnostics(world: World) -> Any:
    world.app.extensions["streamwatch"].message_counters.flush()
    return get(world, "/admin/diagnostics")


def test_diagnostics_count_messages_by_outcome(world: World) -> None:
    sent = messages.online()
    world.send(sent)
    world.send(sent)
    world.send(messages.online(secret="another-secret-altogether"))
    world.send(messages.verification())
    world.storage.error = StorageUnavailable("down")
    world.send(messages.offline())
    world.storage.error = None
    counts = diagnostics(world)["messages"]
    assert {name: number for name, number in counts.items() if number} == {
        "received": 5,
        "accepted": 1,
        "duplicate": 1,
        "refused:forged": 1,
        "verified": 1,
        "unavailable": 1,
    }
    assert {"late", "revoked", "unknown", "refused:stale", "refused:malformed"} <= counts.keys()


def test_diagnostics_report_the_feed_and_dead_letters(world: World) -> None:
    feed = world.storage.feed
    feed.register("analytics")
    world.send(messages.online())
    world.send(messages.offline())
    [entry] = feed.read("analytics", "test", 1, reclaim_seconds=60)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    feed.add_dead_letter("analytics", FeedEntry(entry.id, None), "cannot be read", at)
    answer = diagnostics(world)["feed"]
    assert answer["length"] == 2
    assert answer["readers"] == [{"name": "analytics", "lag": 1, "pending": 0, "set_aside": 1}]
    assert answer["set_aside"] == [
        {
            "id": entry.id,
            "reader": "analytics",
            "error": "cannot be read",
            "at": "2026-06-01T00:00:00Z",
        }
    ]


def test_diagnostics_report_the_leader_and_job_runs(world: World) -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    coordination = world.storage.coordination
    coordination.acquire_lease(LEADER_LEASE, "machine:7", 60)
    coordination.heartbeat(at)
    coordination.record_job(JobRun("refresh", at, 1.5, "Twitch did not answer."))
    assert diagnostics(world)["worker"] == {
        "leader": "machine:7",
        "last_heartbeat": "2026-06-01T00:00:00Z",
        "jobs": [
            {
                "name": "refresh",
                "started_at": "2026-06-01T00:00:00Z",
                "seconds": 1.5,
                "error": "Twitch did not answer.",
            }
        ],
    }


def test_diagnostics_report_the_rest_while_twitch_does_not_answer(world: World) -> None:
    world.add("shroud")
    assert diagnostics(world)["twitch"]["subscriptions"] == {"enabled": 2}
    world.twitch.error = TwitchUnavailable("Twitch did not answer.")
    answer = diagnostics(world)
    assert answer["twitch"] == {
        "error": "Twitch did not answer.",
        "budget": None,
        "subscriptions": {},
        "clock_offset_seconds": 0.0,
    }
    assert answer["worker"]["leader"] is None


class AskedTwitch(FakeTwitch):
    """A client that knows its rate limit."""

    def rate_limit(self) -> RateLimitState | None:
        return RateLimitState(800, 799, datetime(2026, 6, 1, tzinfo=UTC))


def test_diagnostics_report_the_remaining_rate_limit() -> None:
    world = World(Settings(api_keys=("a-key",)), twitch=AskedTwitch())
    assert get(world, "/admin/diagnostics")["twitch"]["budget"] == {
        "limit": 800,
        "remaining": 799,
        "resets_at": "2026-06-01T00:00:00Z",
    }
