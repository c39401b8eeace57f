"""Badges: SVG images that say whether a streamer is live."""

from xml.etree import ElementTree as ET

import pytest
from werkzeug.test import TestResponse

from streamwatch.api.badge_image import badge
from streamwatch.settings import KeyRequirement
from tests import messages
from tests.api.world import World, build_world, problem

SVG = "image/svg+xml"


def text(response: TestResponse) -> str:
    """The label and the text of a badge."""
    assert (response.status_code, response.content_type) == (200, SVG)
    assert len(response.data) < 2000
    root = ET.fromstring(response.data)  # noqa: S314  our own
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "clipPath", "rect", "g", "text"}
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    shown = ": ".join(
        element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")
    )
    assert root.attrib["aria-label"] == shown
    return shown


def test_a_badge_follows_the_streamer(world: World) -> None:
    user = world.twitch.add_user("shroud", name="Shroud")
    world.post("/streamers/shroud")
    assert text(world.get("/badges/shroud.svg")) == "Shroud: offline"
    world.send(messages.online(user))
    assert text(world.get("/badges/SHROUD.svg")) == "Shroud: live"
    world.twitch.go_live(user, id="9001", viewer_count=12_345)
    world.app.extensions["streamwatch"].poller.poll_now([user.user_id])
    assert text(world.get("/badges/shroud.svg")) == "Shroud: live · 12,345 viewers"
    world.twitch.go_live(user, id="9001", viewer_count=1)
    world.app.extensions["streamwatch"].poller.poll_now([user.user_id])
    assert text(world.get("/badges/shroud.svg")) == "Shroud: live · 1 viewer"
    world.send(messages.offline(user))
    assert text(world.get("/badges/shroud.svg")) == "Shroud: offline"


def test_a_streamer_who_is_not_monitored_is_not_watched(world: World) -> None:
    world.twitch.add_user("shroud")
    assert text(world.get("/badges/Shroud.svg")) == "shroud: not watched"
    assert world.twitch.calls == []
    world.post("/streamers/shroud")
    assert text(world.get("/badges/shroud.svg")) != "shroud: not watched"


def test_a_streamer_whose_status_is_not_known_is_not_offline(world: World) -> None:
    world.twitch.add_user("shroud", name="Shroud")
    world.post("/streamers", json={"usernames": ["shroud"]})
    assert text(world.get("/badges/shroud.svg")) == "Shroud: not known yet"


def test_an_unchanged_badge_is_304(world: World) -> None:
    world.add("shroud")
    first = world.get("/badges/shroud.svg")
    assert first.headers["Cache-Control"] == "private, no-cache"
    etag = first.headers["ETag"]
    headers = {"If-None-Match": etag}
    assert world.get("/badges/shroud.svg", headers=headers).status_code == 304
    world.send(messages.online(world.twitch.known["id-of-shroud"]))
    changed = world.get("/badges/shroud.svg", headers=headers)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_what_is_not_a_login_is_422(world: World) -> None:
    problem(world.get("/badges/not-a-login.svg"), 422)


@pytest.mark.parametrize("label", ["<script>&\"'", "安娜" * 20, "\x00\x0b", "a" * 500, ""])
def test_any_name_makes_a_small_valid_image(label: str) -> None:
    image = badge(label, "live · 1,000,000 viewers", "#c8103c")
    assert len(image.encode()) < 2000
    ET.fromstring(image)  # noqa: S314  our own


@pytest.mark.parametrize("path", ["/badges/shroud.svg", "/embed/live"])
def test_public_badges_need_no_key(path: str) -> None:
    closed = {"require_api_key": KeyRequirement.ALL, "api_keys": ("a-full-key",)}
    read = {"api_read_keys": ("a-read-key",)}
    assert build_world(**closed, public_badges=True).get(path).status_code == 200
    world = build_world(**closed, **read)
    assert world.get(path).status_code == 401
    assert world.get(f"{path}?key=a-read-key").status_code == 200
    assert b"a-read-key" not in world.get(f"{path}?key=a-read-key").data
