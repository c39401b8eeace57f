"""Tags of streamers: setting them, and the lists and feeds that `?tag=` narrows."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from streamwatch.domain.models import User
from streamwatch.storage.base import StorageUnavailable
from tests import messages
from tests.api.test_event_stream import events, listening
from tests.api.world import World, build_world, problem


@pytest.fixture
def tagged() -> World:
    """shroud is tagged `fps` and `friends`, and waldkauzig `chess`; both are live."""
    world = build_world()
    for login in ("shroud", "waldkauzig"):
        user = world.twitch.add_user(login)
        world.twitch.go_live(user, viewer_count=10)
        world.post(f"/streamers/{login}")
    set_tags(world, "shroud", "fps", "friends")
    set_tags(world, "waldkauzig", "chess")
    return world


def set_tags(world: World, login: str, *tags: str) -> Any:
    response = world.call("PATCH", f"/streamers/{login}", json={"tags": tags})
    assert response.status_code == 200, response.text
    return response.get_json()["streamer"]


def test_tags_are_stored_sorted_each_once(world: World) -> None:
    world.add("shroud")

    changed = set_tags(world, "SHROUD", "friends", "a_b-1", "friends")

    assert changed["tags"] == ["a_b-1", "friends"]
    [listed] = world.get("/streamers").get_json()["streamers"]
    assert listed == changed
    assert set_tags(world, "shroud")["tags"] == []


def test_tags_survive_a_rename_and_end_with_a_removal(world: World) -> None:
    user = world.twitch.add_user("shroud")
    world.post("/streamers/shroud")
    set_tags(world, "shroud", "friends")
    world.twitch.known[user.user_id] = User(user.user_id, "renamed", "Renamed")

    world.app.extensions["streamwatch"].streamers.update_names()

    [listed] = world.get("/streamers").get_json()["streamers"]
    assert (listed["username"], listed["tags"]) == ("renamed", ["friends"])
    world.delete("/streamers/renamed")
    assert world.post("/streamers/renamed").get_json()["streamer"]["tags"] == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"tags": ["Friends"]}, "tags.0"),
        ({"tags": ["fine", "two words"]}, "tags.1"),
        ({"tags": ["a" * 33]}, "tags.0"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": [7]}, "tags.0"),
        ({"tags": [f"tag{number}" for number in range(21)]}, "tags"),
        ({"tags": "friends"}, "tags"),
        ({"tags": None}, "tags"),
        ({}, "tags"),
        ({"tags": [], "username": "x"}, "username"),
    ],
)
def test_a_body_that_is_not_valid_is_422(world: World, body: object, name: str) -> None:
    world.add("shroud")
    response = world.call(
        "PATCH", "/streamers/shroud", data=json.dumps(body), content_type="application/json"
    )
    [fault] = problem(response, 422)["errors"]
    assert (fault["in"], fault["name"]) == ("body", name)


def test_a_streamer_who_is_not_monitored_has_no_tags(world: World) -> None:
    world.twitch.add_user("shroud")
    problem(world.call("PATCH", "/streamers/shroud", json={"tags": ["friends"]}), 404)
    assert world.twitch.calls == []


def test_new_streamers_of_a_list_get_its_tags(world: World) -> None:
    for login in ("one", "two"):
        world.twitch.add_user(login)
    world.post("/streamers/one")
    world.post("/streamers", json={"usernames": ["one", "two"], "tags": ["team", "fps"]})
    tags = {s["username"]: s["tags"] for s in world.get("/streamers").get_json()["streamers"]}
    assert tags == {"one": [], "two": ["fps", "team"]}


def logins(world: World, path: str) -> list[str]:
    """The logins in a list of the API, sorted."""
    [found] = [value for value in world.get(path).get_json().values() if isinstance(value, list)]
    names = ("username", "broadcaster_login")
    return sorted(item[name] for item in found for name in names if name in item)


@pytest.mark.parametrize("path", ["/streamers", "/streams/live", "/events"])
def test_a_list_is_narrowed_to_the_streamers_with_a_tag(tagged: World, path: str) -> None:
    assert logins(tagged, path) == ["shroud", "waldkauzig"]
    assert logins(tagged, f"{path}?tag=fps") == ["shroud"]
    assert logins(tagged, f"{path}?tag=friends") == ["shroud"]
    assert logins(tagged, f"{path}?tag=chess") == ["waldkauzig"]
    assert logins(tagged, f"{path}?tag=unknown") == []
    set_tags(tagged, "waldkauzig", "fps")
    assert logins(tagged, f"{path}?tag=fps") == ["shroud", "waldkauzig"]


def test_events_with_a_tag_are_found_behind_many_others(tagged: World) -> None:
    other = tagged.twitch.known["id-of-waldkauzig"]
    for number in range(10):
        tagged.send(messages.online(other, f"s{number}"))
        tagged.send(messages.offline(other, f"s{number}"))
    assert logins(tagged, "/events?tag=fps&limit=1") == ["shroud"]
    assert logins(tagged, "/events?tag=chess&limit=3") == ["waldkauzig"] * 3


@pytest.mark.parametrize("ranking", ["hours", "watched", "peak", "average"])
def test_top_lists_are_narrowed_to_the_streamers_with_a_tag(tagged: World, ranking: str) -> None:
    tagged.app.extensions["streamwatch"].projector.run_once()
    path = f"/analytics/top-streamers/{ranking}"
    assert logins(tagged, path) == ["shroud", "waldkauzig"]
    assert logins(tagged, f"{path}?tag=chess&limit=1") == ["waldkauzig"]
    assert logins(tagged, f"{path}?tag=unknown") == []


def test_rss_is_narrowed_to_the_streamers_with_a_tag(tagged: World) -> None:
    def links(query: str) -> list[str]:
        root = ET.fromstring(tagged.get(f"/feeds/live.rss{query}").data)  # noqa: S314  our own
        return sorted(item.findtext("link") or "" for item in root.iterfind("channel/item"))

    assert len(links("")) == 2
    assert links("?tag=chess") == ["https://www.twitch.tv/waldkauzig"]
    assert links("?tag=unknown") == []


def test_pushed_events_are_narrowed_to_the_streamers_who_have_the_tag_now(tagged: World) -> None:
    shroud, other = tagged.twitch.known.values()
    with listening(tagged, "/events/live?tag=fps&type=stream.online") as stream:
        heard = events(stream)
        tagged.send(messages.online(other, "1"))
        tagged.send(messages.online(shroud, "2"))
        assert next(heard)["data"]["broadcaster_login"] == "shroud"
        set_tags(tagged, "waldkauzig", "fps")
        tagged.send(messages.online(other, "3"))
        assert next(heard)["data"]["broadcaster_login"] == "waldkauzig"


PATHS = (
    "/streamers",
    "/streams/live",
    "/events",
    "/events/live",
    "/feeds/live.rss",
    "/embed/live",
    "/analytics/top-streamers/hours",
)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_a_tag_is_422(world: World, path: str) -> None:
    [fault] = problem(world.get(f"{path}?tag=Two%20Words"), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("query", "tag")


@pytest.mark.parametrize("path", ["/feeds/live.rss?tag=fps", "/embed/live?tag=fps"])
def test_while_the_storage_is_away_a_narrowed_answer_is_503(tagged: World, path: str) -> None:
    tagged.storage.error = StorageUnavailable("The storage is down.")
    problem(tagged.get(path), 503)
