"""The live directory: search, category filter and order."""

import pytest

from streamwatch.services.live_directory import LiveDirectory, Order
from tests.services.conftest import World


@pytest.fixture
def directory(world: World) -> LiveDirectory:
    for login, category, viewers, title in (
        ("ann", "Chess", 5, "Openings"),
        ("bob", "Chess Boxing", 50, "Round one"),
        ("cat", "Just Chatting", 20, "Chess talk"),
    ):
        user = world.twitch.add_user(login)
        world.twitch.go_live(user, game_name=category, viewer_count=viewers, title=title)
        world.services.streamers.add(login)
    return world.services.live_directory


def found(directory: LiveDirectory, **wanted: str) -> list[str]:
    order = Order(wanted.pop("order", "viewers"))
    return [item.status.login for item in directory.find(**wanted, order=order)]


def test_a_category_matches_exactly_but_in_any_case(directory: LiveDirectory) -> None:
    assert found(directory, category="chess") == ["ann"]
    assert found(directory, category="CHESS BOXING") == ["bob"]
    assert found(directory, category="Che") == []


def test_a_search_finds_a_part_of_name_or_title(directory: LiveDirectory) -> None:
    assert found(directory, search="CHESS") == ["cat"]
    assert found(directory, search="bo") == ["bob"]


def test_without_an_order_most_viewers_come_first(directory: LiveDirectory) -> None:
    assert found(directory) == ["bob", "cat", "ann"]
    assert found(directory, order="name") == ["ann", "bob", "cat"]
