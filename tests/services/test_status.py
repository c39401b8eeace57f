import pytest

from streamwatch.services.errors import UnknownUser
from streamwatch.services.status import SourcedStatus, StatusSource
from streamwatch.twitch.base import TwitchUnavailable
from tests.messages import COOL_USER
from tests.services.conftest import House


@pytest.fixture(autouse=True)
def _cool_user(services: House) -> None:
    services.twitch.known[COOL_USER.user_id] = COOL_USER
    services.twitch.go_live(COOL_USER)


def status_of(services: House, login: str) -> SourcedStatus:
    return services.services.status.find(login)


def test_a_monitored_streamer_is_answered_from_the_storage(services: House) -> None:
    services.services.streamers.add("cool_user")
    services.twitch.error = TwitchUnavailable("Twitch is down.")
    known = status_of(services, "Cool_User")
    assert (known.source, known.status.is_live) == (StatusSource.STORAGE, True)


def test_anybody_else_is_asked_of_twitch_once_in_a_while(services: House) -> None:
    known = status_of(services, "Cool_User")
    assert (known.source, known.status.is_live) == (StatusSource.TWITCH_API, True)
    assert services.twitch.calls == ["users", "streams"]
    status_of(services, "cool_user")
    assert services.twitch.calls == ["users", "streams"]


def test_a_login_that_nobody_has_is_remembered_too(services: House) -> None:
    for _ in range(2):
        with pytest.raises(UnknownUser):
            status_of(services, "nobody")
    assert services.twitch.calls == ["users"]


def test_nobody_is_unknown_because_twitch_is_down(services: House) -> None:
    services.twitch.error = TwitchUnavailable("Twitch is down.")
    with pytest.raises(TwitchUnavailable):
        status_of(services, "cool_user")
    services.twitch.error = None
    assert status_of(services, "cool_user").status.is_live


def test_who_is_looked_up_is_not_in_the_live_list(services: House) -> None:
    status_of(services, "cool_user")
    assert services.live() == []
