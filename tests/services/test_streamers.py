import pytest

from streamwatch.domain.models import Streamer
from streamwatch.services.errors import NotMonitored, UnknownUser
from streamwatch.services.refresh import REFRESH
from streamwatch.services.subscriptions import RECONCILE
from streamwatch.twitch.base import TwitchNotConfigured, TwitchUnavailable
from tests.messages import COOL_USER
from tests.services.conftest import START, House


@pytest.fixture(autouse=True)
def _cool_user(house: House) -> None:
    house.twitch.known[COOL_USER.user_id] = COOL_USER


def logins(house: House) -> list[str]:
    return [streamer.login for streamer in house.services.streamers.all()]


def test_a_new_streamer_is_complete_at_once(house: House) -> None:
    house.twitch.go_live(COOL_USER)
    added = house.services.streamers.add("Cool_User")
    assert added.created
    assert added.streamer.is_active
    assert house.live() == ["cool_user"]
    assert house.history() == ["stream.online lookup"]


def test_adding_again_asks_twitch_nothing(house: House) -> None:
    house.services.streamers.add("cool_user")
    house.twitch.calls.clear()
    assert not house.services.streamers.add("COOL_USER").created
    assert house.twitch.calls == []


def test_nobody_is_added_whom_twitch_does_not_know(house: House) -> None:
    with pytest.raises(UnknownUser):
        house.services.streamers.add("nobody")
    assert logins(house) == []


def test_nobody_is_unknown_because_twitch_is_down(house: House) -> None:
    house.twitch.error = TwitchUnavailable("Twitch is down.")
    with pytest.raises(TwitchUnavailable):
        house.services.streamers.add("cool_user")


@pytest.mark.parametrize(("verb", "job"), [("subscribe", RECONCILE), ("streams", REFRESH)])
def test_what_twitch_fails_at_after_that_is_mended_by_the_worker(
    house: House, verb: str, job: str
) -> None:
    house.twitch.errors[verb] = TwitchUnavailable("Twitch is down.")
    house.twitch.go_live(COOL_USER)
    added = house.services.streamers.add("cool_user")
    assert added.created
    assert added.streamer.is_active is (verb != "subscribe")
    assert house.live() == ([] if verb == "streams" else ["cool_user"])
    assert house.storage.coordination.take_requested_jobs() == {job}


def test_a_monitored_streamer_under_a_new_login_is_the_same_streamer(house: House) -> None:
    house.storage.add_streamers([Streamer("1337", "old_login", "Old", START)])
    assert not house.services.streamers.add("cool_user").created
    assert logins(house) == ["cool_user"]


def test_many_are_added_in_few_calls_and_each_is_accounted_for(house: House) -> None:
    wanted = [house.twitch.add_user(f"user_{n}").login for n in range(249)]
    house.services.streamers.add("cool_user")
    house.twitch.calls.clear()
    result = house.services.streamers.add_many([*wanted, "COOL_USER", "nobody", "user_1"])
    assert result.added == wanted
    assert (result.existing, result.not_found, result.failed) == (["cool_user"], ["nobody"], [])
    assert house.twitch.calls == ["users"] * 3
    assert house.storage.coordination.take_requested_jobs() == {RECONCILE, REFRESH}


def test_those_of_whom_twitch_could_not_be_asked_failed(house: House) -> None:
    house.twitch.error = TwitchUnavailable("Twitch is down.")
    assert house.services.streamers.add_many(["one", "two"]).failed == ["one", "two"]


def test_without_credentials_nobody_can_be_added(house: House) -> None:
    house.twitch.error = TwitchNotConfigured("Not set.")
    with pytest.raises(TwitchNotConfigured):
        house.services.streamers.add_many(["one", "two"])


def test_removing_lets_subscriptions_and_status_go_and_keeps_the_history(house: House) -> None:
    house.twitch.go_live(COOL_USER)
    house.services.streamers.add("cool_user")
    house.services.streamers.remove("Cool_User")
    assert logins(house) == house.live() == []
    assert house.twitch.subscribed == {}
    assert len(house.services.history.of_streamer("cool_user", 10)) == 1
    with pytest.raises(NotMonitored):
        house.services.streamers.remove("cool_user")


def test_a_subscription_that_twitch_does_not_let_go_is_mended_by_the_worker(house: House) -> None:
    house.services.streamers.add("cool_user")
    house.twitch.error = TwitchUnavailable("Twitch is down.")
    house.services.streamers.remove("cool_user")
    assert logins(house) == []
    assert RECONCILE in house.storage.coordination.take_requested_jobs()


def test_names_follow_twitch(house: House) -> None:
    house.services.streamers.add("cool_user")
    house.twitch.known["1337"] = type(COOL_USER)("1337", "cooler_user", "Cooler_User")
    assert house.services.streamers.refresh_names() == 1
    assert logins(house) == ["cooler_user"]
    assert house.services.streamers.refresh_names() == 0
