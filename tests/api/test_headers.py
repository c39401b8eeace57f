import gzip
import json
import logging
import re

import pytest

from streamwatch.logs import JsonLines, log_context
from tests.api.world import World

PATHS = ("/", "/streamers", "/nowhere", "/docs", "/docs/swagger-ui.css")


@pytest.mark.parametrize("path", PATHS)
def test_a_request_gets_an_id(world: World, path: str) -> None:
    ids = {world.client.get(path, buffered=True).headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{32}", value) for value in ids)


@pytest.mark.parametrize("given", ["a", "A-z_0.9", "x" * 64])
def test_a_safe_request_id_is_used(world: World, given: str) -> None:
    response = world.get("/streamers", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "é", '"', "<script>", "a;b", "{}"])
def test_an_unsafe_request_id_is_replaced(world: World, given: str) -> None:
    response = world.get("/streamers", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_log_records_carry_the_request_id_only_during_the_request(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", JsonLines())
    world.twitch.add_user("shroud")
    with caplog.at_level(logging.INFO):
        world.post("/streamers/shroud", headers={"X-Request-ID": "the-id"})
    [line] = [
        line for line in map(json.loads, caplog.text.splitlines()) if "Added" in line["message"]
    ]
    assert line["request_id"] == "the-id"
    assert log_context.get() is None


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_security_headers(world: World, path: str) -> None:
    headers = world.client.get(path, buffered=True).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/streamers", "/streams/live", "/events"])
def test_a_json_response_may_be_stored_by_its_client_and_is_validated_each_time(
    world: World, path: str
) -> None:
    assert world.get(path).headers["Cache-Control"] == "private, no-cache"


def test_an_error_is_not_stored(world: World) -> None:
    assert world.get("/nowhere").headers["Cache-Control"] == "no-store"


def test_the_files_of_the_documentation_are_cached_and_revalidated(world: World) -> None:
    first = world.client.get("/docs/swagger-ui-bundle.js", buffered=True)
    assert first.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = world.client.get("/docs/swagger-ui-bundle.js", headers=known, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/swagger-ui-bundle.js", "/dashboard/static/page.js"])
def test_a_file_is_sent_whole_whatever_part_or_version_is_asked_for(
    world: World, path: str
) -> None:
    headers = {"Accept-Encoding": "gzip", "Range": "bytes=0-4999", "If-Match": '"another"'}
    response = world.client.get(path, headers=headers, buffered=True)
    whole = world.client.get(path, buffered=True).data
    assert (response.status_code, gzip.decompress(response.data)) == (200, whole)
    assert "Content-Range" not in response.headers
