import logging
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.storage.base import StorageUnavailable, UnsupportedStorage
from tests import messages
from tests.api.world import World, problem

DRIVERS_WORDS = "Error 111 connecting to redis.internal:6379, password hunter2"


def test_a_path_that_does_not_exist_is_404(world: World) -> None:
    problem(world.get("/nowhere"), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/streamers", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("GET", "/streamers/shroud", {"POST", "PATCH", "DELETE", "OPTIONS"}),
        ("DELETE", "/events", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/webhooks/eventsub", {"POST", "OPTIONS"}),
        ("TRACE", "/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_405_with_the_allowed_methods(
    world: World, method: str, path: str, allowed: set[str]
) -> None:
    response = world.call(method, path)
    problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/", "/health", "/streamers", "/streams/live", "/events"])
def test_head_answers_as_get_without_a_body(world: World, path: str) -> None:
    head, get = world.client.head(path), world.client.get(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options_lists_the_methods(world: World) -> None:
    response = world.client.options("/streamers")
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/streamers"),
        ("POST", "/streamers/shroud"),
        ("DELETE", "/streamers/shroud"),
        ("GET", "/streamers/shroud/status"),
        ("GET", "/streams/live"),
        ("GET", "/events"),
        ("GET", "/events/type/stream.online"),
        ("GET", "/events/streamer/shroud"),
    ],
)
def test_a_storage_outage_is_a_503_and_its_error_is_logged(
    world: World, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.storage.error = StorageUnavailable(DRIVERS_WORDS)
    response = world.call(method, path)
    assert f"Answered {method} /" in caplog.text
    assert DRIVERS_WORDS in caplog.text
    problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    assert "redis" not in response.text


@pytest.mark.parametrize("error", [StorageUnavailable, UnsupportedStorage])
def test_a_message_that_cannot_be_stored_is_a_503_and_counted(
    world: World, error: type[StorageUnavailable]
) -> None:
    world.storage.error = error(DRIVERS_WORDS)
    problem(world.send(messages.online()), 503)

    world.storage.error = None
    world.app.extensions["streamwatch"].message_counters.flush()
    assert 'webhook_messages_total{outcome="unavailable"} 1.0' in world.get("/metrics").text


def test_an_analytics_outage_is_a_503_without_the_text_of_the_driver(world: World) -> None:
    world.storage.error = AnalyticsUnavailable(DRIVERS_WORDS)  # whatever raises it
    response = world.get("/streamers")
    assert "analytics" in problem(response, 503)["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert "redis" not in response.text


@pytest.mark.parametrize(
    "ask", [lambda world: world.get("/streamers"), lambda world: world.send(messages.online())]
)
def test_an_unexpected_error_is_a_500_without_its_text_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture, ask: Callable[[World], TestResponse]
) -> None:
    world.storage.error = RuntimeError(DRIVERS_WORDS)
    with caplog.at_level(logging.ERROR):
        response = ask(world)
    problem(response, 500)
    assert "redis" not in response.text
    assert "Traceback" not in response.text
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is world.storage.error
