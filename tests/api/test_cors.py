"""CORS: by the headers, and as a page of another origin in Chromium gets it."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import BaseWSGIServer, make_server

from tests.api.world import World, build_world
from tests.servers import free_port

ORIGIN = "https://page.example"
HEADERS = {"Origin": ORIGIN}


@pytest.fixture
def shared() -> World:
    return build_world(cors_origins=(ORIGIN,))


def test_a_listed_origin_may_read(shared: World) -> None:
    for _ in range(2):  # also from the cache
        response = shared.get("/events", headers=HEADERS)
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Expose-Headers"] == "ETag, Link, Retry-After"
        assert "Origin" in response.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Access-Control-Allow-Origin" not in shared.get("/events").headers


def test_an_error_may_be_read_too(shared: World) -> None:
    response = shared.get("/events?limit=0", headers=HEADERS)
    assert response.status_code == 422
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    ("world", "origin"),
    [
        (build_world(), ORIGIN),
        (build_world(cors_origins=(ORIGIN,)), "https://elsewhere.example"),
        (build_world(cors_origins=(ORIGIN,)), "null"),
    ],
    ids=["no origin is listed", "another origin", "null"],
)
def test_any_other_origin_may_not(world: World, origin: str) -> None:
    response = world.get("/events", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_an_asterisk_is_every_origin() -> None:
    response = build_world(cors_origins=("*",)).get("/events", headers=HEADERS)
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_allows_reading_with_a_key_and_nothing_else(shared: World) -> None:
    asked = {"Access-Control-Request-Method": "GET"}
    allowed = shared.client.options("/events", headers=HEADERS | asked)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Authorization" in allowed.headers["Access-Control-Allow-Headers"]
    asked = {"Access-Control-Request-Method": "DELETE"}
    refused = shared.client.options("/streamers/shroud", headers=HEADERS | asked)
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_the_dashboard_is_not_shared(shared: World) -> None:
    response = shared.client.get("/dashboard/login", headers=HEADERS)
    assert "Access-Control-Allow-Origin" not in response.headers


# In a browser


def serve(app: Any, port: int) -> BaseWSGIServer:
    server = make_server("127.0.0.1", port, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def page_of_another_site(_: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<!doctype html><title>Another site</title>"]


@pytest.fixture
def sites() -> Iterator[tuple[str, str]]:
    """The URLs of a listed page and of StreamWatch, which needs a key."""
    page_port, port = free_port(), free_port()
    page_url = f"http://127.0.0.1:{page_port}"
    world = build_world(
        cors_origins=(page_url,), api_keys=("a-full-key",), api_read_keys=("a-read-key",)
    )
    world.twitch.add_user("shroud")
    servers = [serve(page_of_another_site, page_port), serve(world.app, port)]
    yield page_url, f"http://127.0.0.1:{port}"
    for server in servers:
        server.shutdown()
        server.server_close()


READ_WITH_KEY = """async url => {
  const headers = {Authorization: "Bearer a-read-key"};
  const response = await fetch(url + "/streamers", {headers});
  return [response.status, response.headers.get("ETag") !== null];
}"""
ADD = """async url => {
  try { return (await fetch(url + "/streamers/shroud", {method: "POST", mode: "no-cors"})).status; }
  catch (error) { return "failed"; }
}"""
READ_WITH_COOKIES = """async url => {
  try { return (await fetch(url + "/streamers", {credentials: "include"})).status; }
  catch (error) { return "failed"; }
}"""
COUNT = "async url => (await (await fetch(url + '/streamers')).json()).count"


@pytest.mark.xdist_group("browser")
def test_in_a_browser_a_listed_page_reads_with_a_key_and_changes_nothing(
    browser: Browser, sites: tuple[str, str]
) -> None:
    page_url, url = sites
    page = browser.new_page()
    try:
        page.goto(page_url)
        assert page.evaluate(READ_WITH_KEY, url) == [200, True]
        assert page.evaluate(READ_WITH_COOKIES, url) == "failed"
        page.evaluate(ADD, url)
        assert page.evaluate(COUNT, url) == 0
        page.goto(page_url.replace("127.0.0.1", "localhost"))
        with pytest.raises(Exception, match="Failed to fetch"):
            page.evaluate(COUNT, url)
    finally:
        page.close()
