"""Which key each operation needs: every operation, every kind of key, every REQUIRE_API_KEY."""

import re

import pytest

from streamwatch.settings import KeyRequirement
from tests.api.world import World, build_world

FULL_KEY, READ_KEY = "a-full-key", "a-read-key"

OPEN = "open"
READ = "read"
CHANGE = "change"
ADMIN = "admin"
SIGNED = "signed"

OPERATIONS = {
    "GET /": OPEN,
    "GET /health": OPEN,
    "GET /health/live": OPEN,
    "POST /webhooks/eventsub": SIGNED,
    "GET /streamers": READ,
    "POST /streamers": CHANGE,
    "POST /streamers/{username}": CHANGE,
    "PATCH /streamers/{username}": CHANGE,
    "DELETE /streamers/{username}": CHANGE,
    "GET /streamers/{username}/status": READ,
    "GET /streams/live": READ,
    "GET /events": READ,
    "GET /events/live": READ,
    "GET /events/type/{event_type}": READ,
    "GET /events/streamer/{username}": READ,
    "GET /feeds/live.rss": READ,
    "GET /feeds/streamer/{username}.rss": READ,
    "GET /feeds/streamer/{username}.ics": READ,
    "GET /badges/{username}.svg": READ,
    "GET /embed/live": READ,
    "GET /metrics": READ,
    "GET /analytics/summary": READ,
    "GET /analytics/snapshots": READ,
    "GET /analytics/games/top": READ,
    "GET /analytics/top-streamers/hours": READ,
    "GET /analytics/top-streamers/watched": READ,
    "GET /analytics/top-streamers/peak": READ,
    "GET /analytics/top-streamers/average": READ,
    "GET /analytics/streamer/{login}/stats": READ,
    "GET /analytics/streamer/{login}/sessions": READ,
    "GET /analytics/streamer/{login}/sessions/{stream_id}": READ,
    "GET /analytics/streamer/{login}/trend": READ,
    "GET /analytics/streamer/{login}/categories": READ,
    "GET /analytics/streamer/{login}/schedule": READ,
    "POST /analytics/streamer/{login}/recalculate": CHANGE,
    "GET /analytics/streamer/{login}/backfill": READ,
    "POST /analytics/streamer/{login}/backfill": CHANGE,
    "GET /admin/subscriptions": ADMIN,
    "GET /admin/diagnostics": ADMIN,
    "POST /admin/verify-subscriptions": ADMIN,
    "POST /admin/cleanup-subscriptions": ADMIN,
    "POST /admin/delete-all-subscriptions": ADMIN,
    "POST /admin/reload-default-streamers": ADMIN,
    "GET /admin/export": ADMIN,
    "POST /admin/import": ADMIN,
    "GET /notifications": ADMIN,
    "POST /notifications": ADMIN,
    "GET /notifications/{notification_id}": ADMIN,
    "PATCH /notifications/{notification_id}": ADMIN,
    "DELETE /notifications/{notification_id}": ADMIN,
    "GET /notifications/{notification_id}/deliveries": ADMIN,
    "POST /notifications/{notification_id}/deliveries/{delivery_id}/retry": ADMIN,
    "POST /notifications/{notification_id}/rotate-secret": ADMIN,
    "POST /notifications/{notification_id}/test": ADMIN,
}
"""What each operation needs. A new operation has to be added here."""

KEYS = {"none": None, "read": READ_KEY, "full": FULL_KEY}


def expected(kind: str, key: str, requirement: KeyRequirement) -> int | None:
    """The status of a refusal; None where the request is allowed."""
    if kind == OPEN or (key == "full" and kind != SIGNED):
        return None
    if kind == SIGNED:
        return 403  # for its signature
    if kind == READ:
        return 401 if key == "none" and requirement is KeyRequirement.ALL else None
    if key == "read":
        return 403
    return 401 if kind == ADMIN or requirement is not KeyRequirement.NONE else None


def build(requirement: KeyRequirement) -> World:
    return build_world(
        require_api_key=requirement,
        api_keys=(FULL_KEY,),
        api_read_keys=(READ_KEY,),
        rate_limit=0,
        lookup_limit=0,
    )


def send(world: World, operation: str, headers: dict[str, str]) -> int:
    """The status of the response."""
    method, path = operation.split(" ")
    path = path.replace("{event_type}", "stream.online")
    path = re.sub(r"\{\w+\}", "shroud", path)
    with world.client.open(path, method=method, headers=headers, buffered=False) as response:
        return response.status_code


def test_every_operation_is_in_the_matrix() -> None:
    documented = {
        f"{method.upper()} {path}"
        for path, operations in build(KeyRequirement.NONE).openapi["paths"].items()
        for method in operations
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert documented == set(OPERATIONS)


@pytest.mark.parametrize("requirement", KeyRequirement)
@pytest.mark.parametrize("key", KEYS)
def test_an_operation_is_answered_for_the_keys_that_it_needs(
    key: str, requirement: KeyRequirement
) -> None:
    world = build(requirement)
    given = KEYS[key]
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    for operation, kind in OPERATIONS.items():
        status = send(world, operation, headers)
        refusal = expected(kind, key, requirement)
        if refusal is None:
            assert status not in {401, 403}, operation
        else:
            assert status == refusal, operation
