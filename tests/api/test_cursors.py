"""Cursors: every list is read page by page, completely and without repetition."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from streamwatch.analytics.testing.build import as_input, online, snapshot
from streamwatch.api import cursors
from streamwatch.domain.positions import Position
from streamwatch.storage.testing.build import START, change, event, status, store, streamer
from tests.api.world import World, build_world, problem

LISTS = {
    "/events": "events",
    "/events/type/stream.online": "events",
    "/events/streamer/ann": "events",
    "/streamers": "streamers",
    "/analytics/snapshots": "snapshots",
    "/analytics/snapshots?broadcaster_login=ann": "snapshots",
    "/analytics/streamer/ann/sessions": "sessions",
}
"""Every list that has pages, and the field with its items."""


@pytest.fixture
def filled() -> World:
    """A world with seven items in each list, some of them of the same time."""
    world = build_world(rate_limit=0)
    store(world.storage, change(status(), *(event(f"e{n}", n // 2) for n in range(7))))
    world.storage.add_streamers([streamer(str(n), f"login{n}", added=n // 2) for n in range(7)])
    pieces = [online(f"s{n}", n // 2, user_id="1", login="ann") for n in range(7)]
    samples = [snapshot(f"s{n}", 60, user_id="1", login="ann") for n in range(7)]
    world.analytics.project(as_input(*pieces, *samples))
    return world


def separator(path: str) -> str:
    return "&" if "?" in path else "?"


def walk(client: FlaskClient, path: str, limit: int) -> Iterator[dict[str, Any]]:
    """The pages of a list, by its `next` cursors."""
    first = path = f"{path}{separator(path)}limit={limit}"
    while True:
        response = client.get(path)
        assert response.status_code == 200, response.text
        page = response.get_json()
        yield page
        if page["next"] is None:
            return
        path = f"{first}&after={page['next']}"


@pytest.mark.parametrize("path", LISTS)
def test_the_pages_of_a_list_are_the_list(filled: World, path: str) -> None:
    items = LISTS[path]
    everything = filled.get(path).get_json()
    assert (len(everything[items]), everything["next"]) == (7, None)
    for limit in (1, 3, 7, 8):
        pages = list(walk(filled.client, path, limit))
        assert [item for page in pages for item in page[items]] == everything[items]
        assert all(page["count"] == len(page[items]) <= limit for page in pages)


@pytest.mark.parametrize("items", ["streamers", "events"])
def test_the_pages_of_a_tag_are_the_list_of_the_tag(items: str) -> None:
    world = build_world(rate_limit=0)
    for number in range(20):
        tags = ("odd",) if number % 2 else ()
        user_id, login = str(number), f"login{number}"
        world.storage.add_streamers([replace(streamer(user_id, login), tags=tags)])
        store(world.storage, change(status(user_id, login), event(f"e{number}", 0, user_id)))
    everything = world.get(f"/{items}?tag=odd").get_json()[items]
    assert len(everything) == 10
    for limit in (1, 3, 10):
        pages = list(walk(world.client, f"/{items}?tag=odd", limit))
        assert [item for page in pages for item in page[items]] == everything
        assert len(pages) == -(-10 // limit)


@pytest.mark.parametrize("path", LISTS)
def test_the_link_header_names_the_next_page(filled: World, path: str) -> None:
    response = filled.get(f"{path}{separator(path)}limit=4&_=17")
    link = response.headers["Link"]
    assert link.startswith("<")
    assert link.endswith('>; rel="next"')
    following = filled.get(link[1 : link.index(">")])
    assert following.get_json()["count"] == 3
    assert "Link" not in following.headers


def test_streamers_after_a_cursor_are_all_listed_without_a_limit(filled: World) -> None:
    cursor = filled.get("/streamers?limit=2").get_json()["next"]
    rest = filled.get(f"/streamers?after={cursor}").get_json()
    assert (rest["count"], rest["next"]) == (5, None)
    for limit in (0, 10_001):
        problem(filled.get(f"/streamers?limit={limit}"), 422)


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", LISTS)
def test_what_is_not_a_cursor_of_the_list_is_422(filled: World, path: str) -> None:
    name = LISTS[path]
    other = cursors.encode("other", Position(START, "1"))
    texts = [
        "",
        "1",
        "../../etc",
        "%00",
        "ä",
        "A" * (cursors.MAX_LENGTH + 1),
        other,
        encoded(f"{name}\n1"),
        encoded(f"{name}\n1\n2\n3"),
        encoded(f"{name}\nnow\n1"),
        encoded(f"{name}\n 1\n1"),
        encoded(f"{name}\n1e3\n1"),
        encoded(f"{name}\n{10**30}\n1"),
        encoded(f"{name}\n{-(10**30)}\n1"),
        urlsafe_b64encode(b"\xff\n1\n1").decode(),
        cursors.encode(name, Position(START, "1")) + "=",
    ]
    for text in texts:
        response = filled.get(f"{path}{separator(path)}after={text}")
        [fault] = problem(response, 422)["errors"]
        assert (fault["in"], fault["name"]) == ("query", "after"), text


@given(st.datetimes(timezones=st.just(START.tzinfo)), st.text(max_size=256))
@hypothesis_settings(max_examples=50)
def test_a_cursor_is_the_text_of_a_position(at: Any, item_id: str) -> None:
    position = Position(at, item_id.replace("\n", ""))
    try:
        cursor = cursors.encode("events", position)
    except UnicodeEncodeError:  # a lone surrogate: no id has one
        return
    assert cursors.decode("events", cursor) == position
    assert cursors.decode("streamers", cursor) is None


def test_a_position_far_outside_of_the_list_is_no_error(filled: World) -> None:
    for moment in (START - timedelta(days=700_000), START + timedelta(days=2_000_000)):
        cursor = cursors.encode("events", Position(moment, "x"))
        assert filled.get(f"/events?after={cursor}").status_code == 200
