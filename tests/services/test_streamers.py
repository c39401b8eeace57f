import pytest

from streamwatch.domain.models import Streamer
from streamwatch.services.errors import NotMonitored, UnknownUser
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.twitch.base import TwitchNotConfigured, TwitchUnavailable
from tests.messages import COOL_USER
from tests.services.conftest import START, House


@pytest.fixture(autouse=True)
def _cool_user(services: House) -> None:
    services.twitch.known[COOL_USER.user_id] = COOL_USER


def logins(services: House) -> list[str]:
    return [streamer.login for streamer in services.services.streamers.all()]


def test_a_new_streamer_is_complete_at_once(services: House) -> None:
    services.twitch.go_live(COOL_USER)
    added = services.services.streamers.add("Cool_User")
    assert added.created
    assert added.streamer.is_active
    assert services.live() == ["cool_user"]
    assert services.events() == ["stream.online lookup"]


def test_adding_again_asks_twitch_nothing(services: House) -> None:
    services.services.streamers.add("cool_user")
    services.twitch.calls.clear()
    assert not services.services.streamers.add("COOL_USER").created
    assert services.twitch.calls == []


def test_nobody_is_added_whom_twitch_does_not_know(services: House) -> None:
    with pytest.raises(UnknownUser):
        services.services.streamers.add("nobody")
    assert logins(services) == []


def test_nobody_is_unknown_because_twitch_is_down(services: House) -> None:
    services.twitch.error = TwitchUnavailable("Twitch is down.")
    with pytest.raises(TwitchUnavailable):
        services.services.streamers.add("cool_user")


@pytest.mark.parametrize(("verb", "job"), [("subscribe", RECONCILE), ("streams", REFRESH)])
def test_what_twitch_fails_at_after_that_is_mended_by_the_worker(
    services: House, verb: str, job: str
) -> None:
    services.twitch.errors[verb] = TwitchUnavailable("Twitch is down.")
    services.twitch.go_live(COOL_USER)
    added = services.services.streamers.add("cool_user")
    assert added.created
    assert added.streamer.is_active is (verb != "subscribe")
    assert services.live() == ([] if verb == "streams" else ["cool_user"])
    assert services.storage.coordination.take_requested_jobs() == {job}


def test_a_monitored_streamer_under_a_new_login_is_the_same_streamer(services: House) -> None:
    services.storage.add_streamers([Streamer("1337", "old_login", "Old", START)])
    assert not services.services.streamers.add("cool_user").created
    assert logins(services) == ["cool_user"]


def test_many_are_added_in_few_calls_and_each_is_accounted_for(services: House) -> None:
    wanted = [services.twitch.add_user(f"user_{n}").login for n in range(249)]
    services.services.streamers.add("cool_user")
    services.twitch.calls.clear()
    result = services.services.streamers.add_many([*wanted, "COOL_USER", "nobody", "user_1"])
    assert result.added == wanted
    assert (result.existing, result.not_found, result.failed) == (["cool_user"], ["nobody"], [])
    assert services.twitch.calls == ["users"] * 3
    assert services.storage.coordination.take_requested_jobs() == {RECONCILE, REFRESH}


def test_those_of_whom_twitch_could_not_be_asked_failed(services: House) -> None:
    services.twitch.error = TwitchUnavailable("Twitch is down.")
    assert services.services.streamers.add_many(["one", "two"]).failed == ["one", "two"]


def test_without_credentials_nobody_can_be_added(services: House) -> None:
    services.twitch.error = TwitchNotConfigured("Not set.")
    with pytest.raises(TwitchNotConfigured):
        services.services.streamers.add_many(["one", "two"])


def test_removing_lets_subscriptions_and_status_go_and_keeps_the_history(services: House) -> None:
    services.twitch.go_live(COOL_USER)
    services.services.streamers.add("cool_user")
    services.services.streamers.remove("Cool_User")
    assert logins(services) == services.live() == []
    assert services.twitch.subscribed == {}
    assert len(services.services.events.of_streamer("cool_user", 10)) == 1
    with pytest.raises(NotMonitored):
        services.services.streamers.remove("cool_user")


def test_a_subscription_that_twitch_does_not_let_go_is_mended_by_the_worker(
    services: House,
) -> None:
    services.services.streamers.add("cool_user")
    services.twitch.error = TwitchUnavailable("Twitch is down.")
    services.services.streamers.remove("cool_user")
    assert logins(services) == []
    assert RECONCILE in services.storage.coordination.take_requested_jobs()


def test_names_follow_twitch(services: House) -> None:
    services.services.streamers.add("cool_user")
    services.twitch.known["1337"] = type(COOL_USER)("1337", "cooler_user", "Cooler_User")
    assert services.services.streamers.update_names() == 1
    assert logins(services) == ["cooler_user"]
    assert services.services.streamers.update_names() == 0
