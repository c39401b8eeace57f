"""The examples of the OpenAPI document: real requests and responses of a small installation.

`python -m tests.api.examples` writes them to streamwatch/api/examples.json. A test compares their
shapes with new ones.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import time_machine

import streamwatch.api
from streamwatch.analytics.testing.build import GO, START, as_input, offline, online, snapshot
from streamwatch.settings import KeyRequirement
from tests import messages
from tests.api.world import World, build_world

FILE = Path(streamwatch.api.__file__).with_name("examples.json")
KEY = {"Authorization": "Bearer a-full-key"}
WEBHOOK: dict[str, Any] = {"kind": "webhook", "url": "https://127.0.0.1/hook", "tags": ["friends"]}

VALUES = {
    "username": "shroud",
    "login": "shroud",
    "event_type": "stream.online",
    "stream_id": "9001",
}
"""The path parameters that are known before the first request."""

REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/streamers/{username}", None),
    ("POST", "/streamers", {"usernames": ["ann", "nobody_here"], "tags": ["friends"]}),
    ("PATCH", "/streamers/{username}", {"tags": ["fps", "friends"]}),
    ("GET", "/", None),
    ("GET", "/health", None),
    ("GET", "/health/live", None),
    ("GET", "/streamers?limit=1", None),
    ("GET", "/streamers/{username}/status", None),
    ("GET", "/streams/live", None),
    ("GET", "/events?limit=1", None),
    ("GET", "/events/type/{event_type}?limit=1", None),
    ("GET", "/events/streamer/{username}?limit=1", None),
    ("GET", "/analytics/summary", None),
    ("GET", "/analytics/streamer/{login}/stats?days=7", None),
    ("POST", "/analytics/streamer/{login}/recalculate", None),
    ("GET", "/analytics/streamer/{login}/sessions?limit=1", None),
    ("GET", "/analytics/streamer/{login}/sessions/{stream_id}", None),
    ("GET", "/analytics/streamer/{login}/trend?days=7", None),
    ("POST", "/analytics/streamer/{login}/backfill", None),
    ("GET", "/analytics/streamer/{login}/backfill", None),
    ("GET", "/analytics/streamer/{login}/categories", None),
    ("GET", "/analytics/streamer/{login}/schedule", None),
    ("GET", "/analytics/top-streamers/hours", None),
    ("GET", "/analytics/top-streamers/watched", None),
    ("GET", "/analytics/top-streamers/peak", None),
    ("GET", "/analytics/top-streamers/average", None),
    ("GET", "/analytics/games/top", None),
    ("GET", "/analytics/snapshots?limit=1", None),
    ("POST", "/notifications", WEBHOOK),
    ("POST", "/notifications/{notification_id}/test", None),
    ("GET", "/notifications", None),
    ("GET", "/notifications/{notification_id}", None),
    ("PATCH", "/notifications/{notification_id}", {"events": ["stream.online"]}),
    ("GET", "/notifications/{notification_id}/deliveries", None),
    ("POST", "/notifications/{notification_id}/deliveries/{delivery_id}/retry", None),
    ("POST", "/notifications/{notification_id}/rotate-secret", None),
    ("GET", "/admin/export", None),
    ("POST", "/admin/import", {"version": 1, "streamers": ["https://www.twitch.tv/ann"]}),
    ("DELETE", "/notifications/{notification_id}", None),
    ("GET", "/admin/subscriptions", None),
    ("GET", "/admin/diagnostics", None),
    ("POST", "/admin/verify-subscriptions", None),
    ("POST", "/admin/cleanup-subscriptions", None),
    ("POST", "/admin/delete-all-subscriptions", None),
    ("POST", "/admin/reload-default-streamers", None),
    ("DELETE", "/streamers/{username}", None),
]
"""The requests in their order: method, path, and the body if there is one."""


def make() -> dict[str, Any]:
    """The body and the answer of each operation, by method and path."""
    with time_machine.travel(START + timedelta(hours=5), tick=False):
        world, values = furnished(), dict(VALUES)
        return dict(_example(world, *request, values) for request in REQUESTS)


def furnished() -> World:
    """An installation that has observed one streamer."""
    world = build_world(
        require_api_key=KeyRequirement.WRITE,
        api_keys=("a-full-key",),
        notifications_allow_private=True,
        twitch_client_id="a-client-id",
        twitch_client_secret="a-client-secret",
        default_streamers=("shroud",),
        rate_limit=0,
        lookup_limit=0,
    )
    world.app.extensions["streamwatch"].notifications.management._requested._test_seconds = 0.0
    shroud, _ = world.twitch.add_user("shroud"), world.twitch.add_user("ann")
    user_id = shroud.user_id
    world.twitch.go_live(shroud, id="9002", viewer_count=12_345)
    world.analytics.project(
        as_input(
            online("9001", 0, user_id=user_id, login="shroud"),
            snapshot("9001", 0, 12_000, user_id=user_id, login="shroud"),
            snapshot("9001", 300, 12_600, user_id=user_id, login="shroud", category=GO),
            offline("9001", 3600, user_id=user_id, login="shroud"),
        )
    )
    world.send(messages.online(shroud, "9002"))
    return world


def _example(
    world: World, method: str, path: str, body: Any, values: dict[str, str]
) -> tuple[str, dict[str, Any]]:
    template = path.partition("?")[0]
    address = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path)
    response = world.call(method, address, headers=KEY, **({} if body is None else {"json": body}))
    assert response.status_code < 300, (method, address, response.text)
    answer = response.get_json()
    note_ids(method, template, answer, values)
    example = {"status": response.status_code, "response": answer}
    return f"{method} {template}", example | ({} if body is None else {"request": body})


def note_ids(method: str, template: str, answer: Any, values: dict[str, str]) -> None:
    """Add the ids in an answer that later requests have in their path to `values`."""
    if template == "/notifications" and method == "POST":
        values["notification_id"] = answer["notification"]["id"]
    if template.endswith("/deliveries"):
        values["delivery_id"] = answer["deliveries"][0]["id"]


if __name__ == "__main__":
    FILE.write_bytes(orjson.dumps(make(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
