from datetime import UTC, datetime

import pytest

from streamwatch import __version__
from streamwatch.storage.base import StorageUnavailable
from tests.api.world import World

HEALTHY = {
    "status": "healthy",
    "storage": "connected",
    "analytics": "connected",
    "worker": "running",
    "eventsub": "connected",
    "twitch": "not configured",
    "version": __version__,
}


def test_the_index_names_the_service_its_version_and_its_documentation(world: World) -> None:
    index = world.get("/").get_json()
    assert set(index) == {"name", "message", "version", "docs"}
    assert (index["name"], index["version"]) == ("StreamWatch", __version__)
    assert world.client.get(index["docs"], buffered=True).status_code == 200


def test_health_is_healthy_when_everything_answers(world: World) -> None:
    world.storage.coordination.heartbeat(datetime.now(UTC))
    response = world.get("/health")
    assert (response.status_code, response.get_json()) == (200, HEALTHY)


def test_a_worker_that_never_reported_is_unknown(world: World) -> None:
    response = world.get("/health")
    assert (response.status_code, response.get_json()) == (200, HEALTHY | {"worker": "unknown"})


def test_a_stale_worker_degrades(world: World) -> None:
    world.storage.coordination.heartbeat(datetime.now(UTC), seconds=0)
    response = world.get("/health")
    assert response.status_code == 200
    assert response.get_json() == HEALTHY | {"status": "degraded", "worker": "stale"}


def test_analytics_that_are_down_degrade(world: World) -> None:
    world.storage.coordination.heartbeat(datetime.now(UTC))
    world.analytics.connected = False
    response = world.get("/health")
    assert response.status_code == 200
    assert response.get_json() == HEALTHY | {"status": "degraded", "analytics": "disconnected"}


def test_a_storage_that_is_down_is_unhealthy(world: World) -> None:
    world.storage.error = StorageUnavailable("connection refused")
    response = world.get("/health")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    expected = {
        "status": "unhealthy",
        "storage": "disconnected",
        "worker": "unknown",
        "eventsub": "disconnected",
    }
    assert response.get_json() == HEALTHY | expected


def test_the_process_is_alive_whatever_is_down(world: World) -> None:
    world.storage.error = StorageUnavailable("connection refused")
    world.analytics.connected = False
    assert world.get("/health/live").status_code == 200


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_a_browser_is_redirected_from_the_index_to_the_dashboard(world: World) -> None:
    response = world.get("/", headers={"Accept": BROWSER})
    assert (response.status_code, response.location) == (302, "/dashboard/")
    assert "Accept" in response.vary


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_other_clients_get_the_index_as_json(world: World, accept: str) -> None:
    response = world.get("/", headers={"Accept": accept})
    assert response.get_json()["name"] == "StreamWatch"
    assert "Accept" in response.vary
