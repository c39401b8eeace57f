"""The embeddable page: who is live, in frames of other sites and in OBS."""

import io
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from streamwatch.domain.models import User
from streamwatch.settings import KeyRequirement
from tests import messages
from tests.api.test_cors import serve
from tests.api.world import World, build_world, problem
from tests.servers import free_port

PAGE = "https://page.example"


def policy(world: World) -> str:
    return world.get("/embed/live").headers["Content-Security-Policy"]


def test_live_streams_are_listed_by_viewers() -> None:
    world = build_world()
    for login, viewers in (("few", 3), ("many", 30_000)):
        user = world.twitch.add_user(login)
        world.twitch.go_live(user, viewer_count=viewers, game_name="<b>Chess</b>")
        world.post(f"/streamers/{login}")
    page = world.get("/embed/live").text
    assert re.findall(r'class="(?:name|viewers|category)">(.*?)<', page) == [
        *("Many", "30,000", "&lt;b&gt;Chess&lt;/b&gt;"),
        *("Few", "3", "&lt;b&gt;Chess&lt;/b&gt;"),
    ]
    assert re.findall(r'(?:src|href)="([^"]+)"', page) == [
        "data:,",
        "https://www.twitch.tv/many",
        "https://www.twitch.tv/few",
    ]


def test_the_page_is_small_however_many_are_live(world: World) -> None:
    for number in range(60):
        world.send(messages.online(User(f"{number}", f"user{number}", "x" * 25), f"s{number}"))
    page = world.get("/embed/live").text
    assert page.count("<li>") == 50
    assert "and 10 more" in page


def test_an_unchanged_page_is_304(world: World) -> None:
    etag = world.get("/embed/live").headers["ETag"]
    headers = {"If-None-Match": etag}
    assert world.get("/embed/live", headers=headers).status_code == 304
    world.send(messages.online())
    assert "Cool_User" in world.get("/embed/live", headers=headers).text


def test_nobody_may_frame_the_page_unless_an_origin_is_listed(world: World) -> None:
    assert policy(world).endswith("frame-ancestors 'none'")
    assert world.client.get("/embed/live").headers["X-Frame-Options"] == "DENY"


def test_listed_origins_may_frame_this_page_alone() -> None:
    world = build_world(embed_origins=(PAGE, "'self'"))
    for _ in range(2):  # also from the cache
        response = world.get("/embed/live")
        assert response.headers["Content-Security-Policy"].endswith(
            f"frame-ancestors {PAGE} 'self'"
        )
        assert "X-Frame-Options" not in response.headers
    other = world.client.get("/dashboard/")
    assert other.headers["X-Frame-Options"] == "DENY"
    assert PAGE not in other.headers["Content-Security-Policy"]


def test_the_policy_allows_the_pages_own_script_and_style_only(world: World) -> None:
    page, allowed = world.get("/embed/live").text, policy(world)
    inline = re.findall(r"<(?:style|script)[^>]*>(.*?)</(?:style|script)>", page, re.DOTALL)
    hashes = {f"'sha256-{b64encode(sha256(t.encode()).digest()).decode()}'" for t in inline}
    assert set(re.findall(r"'sha256-[^']+'", allowed)) == hashes
    assert "unsafe" not in allowed


def test_an_unknown_theme_is_422(world: World) -> None:
    [fault] = problem(world.get("/embed/live?theme=pink"), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("query", "theme")


# In a browser


class Sites:
    """StreamWatch, and a page of another site with a badge and the embeddable page in a frame. The
    other site is allowed as 127.0.0.1 and not as localhost."""

    def __init__(self, **settings: Any) -> None:
        page_port, port = free_port(), free_port()
        self.page_url = f"http://127.0.0.1:{page_port}"
        self.unlisted_url = f"http://localhost:{page_port}"
        self.url = f"http://127.0.0.1:{port}"
        self.world = build_world(
            embed_origins=(self.page_url,), api_keys=("a-full-key",), **settings
        )
        self.shroud = self.world.twitch.add_user("shroud", name="Shroud")
        self.world.post("/streamers/shroud", headers={"Authorization": "Bearer a-full-key"})
        self.servers = [serve(self.frame, page_port), serve(self.world.app, port)]

    def frame(self, _: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        badge = f'<img src="{self.url}/badges/shroud.svg" alt="Shroud">'
        frame = f'<iframe src="{self.url}/embed/live"></iframe>'
        return [f"<!doctype html><title>Another site</title>{badge}{frame}".encode()]

    def close(self) -> None:
        self.world.app.extensions["streamwatch"].broadcaster.close()
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def sites() -> Iterator[Sites]:
    sites = Sites()
    yield sites
    sites.close()


@pytest.fixture
def closed_sites() -> Iterator[Sites]:
    """Without a key only badges and the embeddable page can be read."""
    sites = Sites(require_api_key=KeyRequirement.ALL, public_badges=True)
    yield sites
    sites.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.xdist_group("browser")
def test_in_a_browser_a_listed_page_frames_it_and_it_follows_the_stream(
    sites: Sites, page: Page
) -> None:
    page.goto(sites.page_url)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Nobody is live.")).to_be_visible()
    assert page.get_by_alt_text("Shroud").evaluate("image => image.naturalHeight") == 20
    sites.world.twitch.calls.clear()
    sites.world.send(messages.online(sites.shroud))
    expect(frame.get_by_text("Shroud")).to_be_visible()
    sites.world.send(messages.offline(sites.shroud))
    expect(frame.get_by_text("Nobody is live.")).to_be_visible()
    assert sites.world.twitch.calls == []

    page.goto(sites.unlisted_url)
    expect(page.locator("iframe")).to_be_visible()
    [framed] = page.frames[1:]
    assert framed.url.startswith("chrome-error:")


@pytest.mark.xdist_group("browser")
def test_in_a_browser_the_transparent_page_follows_the_stream_without_a_key(
    closed_sites: Sites, page: Page
) -> None:
    page.goto(f"{closed_sites.url}/embed/live?theme=transparent")
    expect(page.get_by_text("Nobody is live.")).to_be_visible()
    picture = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
    assert picture.getpixel((picture.width - 1, picture.height - 1)) == (0, 0, 0, 0)
    closed_sites.world.send(messages.online(closed_sites.shroud))
    expect(page.get_by_text("Shroud")).to_be_visible()
