import json
from typing import Any

import pytest

from streamwatch.domain.documents import STORAGE, TWITCH_API
from streamwatch.services.errors import UnknownUser
from streamwatch.twitch.base import TwitchUnavailable
from tests.messages import COOL_USER
from tests.services.conftest import House


@pytest.fixture(autouse=True)
def _cool_user(house: House) -> None:
    house.twitch.known[COOL_USER.user_id] = COOL_USER
    house.twitch.go_live(COOL_USER)


def status_of(house: House, login: str) -> Any:
    return json.loads(house.services.statuses.of_json(login))


def test_a_monitored_streamer_is_answered_from_the_storage(house: House) -> None:
    house.services.streamers.add("cool_user")
    house.twitch.error = TwitchUnavailable("Twitch is down.")
    known = status_of(house, "Cool_User")
    assert (known["source"], known["is_live"]) == (STORAGE, True)


def test_anybody_else_is_asked_of_twitch_once_in_a_while(house: House) -> None:
    known = status_of(house, "Cool_User")
    assert (known["source"], known["is_live"]) == (TWITCH_API, True)
    assert house.twitch.calls == ["users", "streams"]
    status_of(house, "cool_user")
    assert house.twitch.calls == ["users", "streams"]


def test_a_login_that_nobody_has_is_remembered_too(house: House) -> None:
    for _ in range(2):
        with pytest.raises(UnknownUser):
            status_of(house, "nobody")
    assert house.twitch.calls == ["users"]


def test_nobody_is_unknown_because_twitch_is_down(house: House) -> None:
    house.twitch.error = TwitchUnavailable("Twitch is down.")
    with pytest.raises(TwitchUnavailable):
        status_of(house, "cool_user")
    house.twitch.error = None
    assert status_of(house, "cool_user")["is_live"]


def test_who_is_looked_up_is_not_in_the_live_list(house: House) -> None:
    status_of(house, "cool_user")
    assert house.live() == []
