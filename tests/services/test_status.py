"""The status of a streamer, from the storage or from Twitch."""

import pytest

from streamwatch.services.errors import UnknownUser
from streamwatch.services.status import SourcedStatus, StatusSource
from streamwatch.twitch.base import TwitchUnavailable
from tests.messages import COOL_USER
from tests.services.conftest import World


@pytest.fixture(autouse=True)
def _cool_user(world: World) -> None:
    world.twitch.known[COOL_USER.user_id] = COOL_USER
    world.twitch.go_live(COOL_USER)


def status_of(world: World, login: str) -> SourcedStatus:
    return world.services.status.find(login)


def test_the_status_of_a_monitored_streamer_comes_from_the_storage(world: World) -> None:
    world.services.streamers.add("cool_user")
    world.twitch.error = TwitchUnavailable("Twitch is down.")
    known = status_of(world, "Cool_User")
    assert (known.source, known.status.is_live) == (StatusSource.STORAGE, True)


def test_the_status_of_another_user_comes_from_twitch_and_is_cached(world: World) -> None:
    known = status_of(world, "Cool_User")
    assert (known.source, known.status.is_live) == (StatusSource.TWITCH_API, True)
    assert world.twitch.calls == ["users", "streams"]
    status_of(world, "cool_user")
    assert world.twitch.calls == ["users", "streams"]


def test_a_login_without_a_twitch_user_is_cached(world: World) -> None:
    for _ in range(2):
        with pytest.raises(UnknownUser):
            status_of(world, "nobody")
    assert world.twitch.calls == ["users"]


def test_a_user_is_not_unknown_because_twitch_is_down(world: World) -> None:
    world.twitch.error = TwitchUnavailable("Twitch is down.")
    with pytest.raises(TwitchUnavailable):
        status_of(world, "cool_user")
    world.twitch.error = None
    assert status_of(world, "cool_user").status.is_live


def test_a_looked_up_user_is_not_in_the_live_list(world: World) -> None:
    status_of(world, "cool_user")
    assert world.live() == []
