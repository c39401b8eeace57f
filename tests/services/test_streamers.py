"""Adding and removing streamers."""

from collections.abc import Collection
from datetime import timedelta

import pytest

from streamwatch.bootstrap import assemble
from streamwatch.domain.models import Streamer
from streamwatch.services.errors import NotMonitored, UnknownUser
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.locks import distributed_lock
from streamwatch.services.subscriptions import conduit
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.settings import Settings
from streamwatch.settings.model import EventSubTransport
from streamwatch.twitch.base import (
    FoundUsers,
    LiveStreams,
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
    TwitchRefused,
    TwitchUnavailable,
)
from tests.api.world import FakeAnalytics
from tests.clocks import START
from tests.messages import COOL_USER
from tests.services.conftest import World


@pytest.fixture(autouse=True)
def _cool_user(world: World) -> None:
    world.twitch.known[COOL_USER.user_id] = COOL_USER


def logins(world: World) -> list[str]:
    return [streamer.login for streamer in world.services.streamers.all()]


def test_adding_a_streamer_subscribes_and_polls_at_once(world: World) -> None:
    world.twitch.go_live(COOL_USER)
    added = world.services.streamers.add("Cool_User")
    assert added.created
    assert added.streamer.is_active
    assert world.live() == ["cool_user"]
    assert world.events() == ["stream.online lookup"]


def test_adding_a_monitored_streamer_makes_no_call_to_twitch(world: World) -> None:
    world.services.streamers.add("cool_user")
    world.twitch.calls.clear()
    assert not world.services.streamers.add("COOL_USER").created
    assert world.twitch.calls == []


def test_a_login_without_a_twitch_user_is_not_added(world: World) -> None:
    with pytest.raises(UnknownUser):
        world.services.streamers.add("nobody")
    assert logins(world) == []


def test_a_user_is_not_unknown_because_twitch_is_down(world: World) -> None:
    world.twitch.error = TwitchUnavailable("Twitch is down.")
    with pytest.raises(TwitchUnavailable):
        world.services.streamers.add("cool_user")


@pytest.mark.parametrize(("verb", "job"), [("subscribe", RECONCILE), ("streams", REFRESH)])
def test_a_job_is_requested_when_twitch_fails_after_the_addition(
    world: World, verb: str, job: str
) -> None:
    world.twitch.errors[verb] = TwitchUnavailable("Twitch is down.")
    world.twitch.go_live(COOL_USER)
    added = world.services.streamers.add("cool_user")
    assert added.created
    assert added.streamer.is_active is (verb != "subscribe")
    assert world.live() == ([] if verb == "streams" else ["cool_user"])
    assert world.storage.coordination.job_requests().keys() == {job}


def test_adding_a_monitored_streamer_by_a_new_login_renames_them(world: World) -> None:
    world.storage.add_streamers([Streamer("1337", "old_login", "Old", START)])
    assert not world.services.streamers.add("cool_user").created
    assert logins(world) == ["cool_user"]


def test_bulk_addition_makes_few_calls_and_reports_every_login(world: World) -> None:
    wanted = [world.twitch.add_user(f"user_{n}").login for n in range(249)]
    world.services.streamers.add("cool_user")
    world.twitch.calls.clear()
    result = world.services.streamers.add_many([*wanted, "COOL_USER", "nobody", "user_1"])
    assert result.added == wanted
    assert (result.existing, result.not_found, result.failed) == (["cool_user"], ["nobody"], [])
    assert world.twitch.calls == ["users"] * 3
    assert world.storage.coordination.job_requests().keys() == {RECONCILE, REFRESH}


def test_bulk_addition_reports_logins_as_failed_when_twitch_is_down(world: World) -> None:
    world.twitch.error = TwitchUnavailable("Twitch is down.")
    assert world.services.streamers.add_many(["one", "two"]).failed == ["one", "two"]


def test_bulk_addition_reports_a_login_as_failed_when_its_user_cannot_be_read(
    world: World,
) -> None:
    world.twitch.unreadable.add("odd_user")
    result = world.services.streamers.add_many(["cool_user", "nobody", "odd_user"])
    assert (result.added, result.not_found) == (["cool_user"], ["nobody"])
    assert result.failed == ["odd_user"]


@pytest.mark.parametrize(
    "error", [TwitchNotConfigured("Not set."), TwitchDenied("The credentials are invalid.", 403)]
)
def test_bulk_addition_without_valid_credentials_is_an_error(
    world: World, error: TwitchError
) -> None:
    world.services.streamers.add("cool_user")
    world.twitch.error = error
    with pytest.raises(type(error)):
        world.services.streamers.add_many(["cool_user", *(f"user_{n}" for n in range(250))])
    assert world.services.streamers.add_many(["cool_user"]).existing == ["cool_user"]


def test_credentials_that_become_invalid_do_not_lose_the_result_of_a_bulk_addition(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [world.twitch.add_user(f"user_{n}").login for n in range(150)]
    answered = iter([True, False])
    find_users = world.twitch.users

    def refuse_second(*, logins: Collection[str]) -> FoundUsers:
        if not next(answered):
            raise TwitchDenied("The credentials are invalid.", 401)
        return find_users(logins=logins)

    monkeypatch.setattr(world.twitch, "users", refuse_second)
    result = world.services.streamers.add_many(wanted)
    assert (result.added, result.failed) == (wanted[:100], wanted[100:])
    assert world.storage.coordination.job_requests().keys() == {RECONCILE, REFRESH}


def test_removing_deletes_subscriptions_and_status_and_keeps_the_history(world: World) -> None:
    world.twitch.go_live(COOL_USER)
    world.services.streamers.add("cool_user")
    world.services.streamers.remove("Cool_User")
    assert logins(world) == world.live() == []
    assert world.twitch.subscribed == {}
    assert len(world.services.events.of_streamer("cool_user", 10)) == 1
    with pytest.raises(NotMonitored):
        world.services.streamers.remove("cool_user")


def test_a_job_is_requested_when_twitch_does_not_delete_a_subscription(
    world: World,
) -> None:
    world.services.streamers.add("cool_user")
    world.twitch.error = TwitchUnavailable("Twitch is down.")
    world.services.streamers.remove("cool_user")
    assert logins(world) == []
    assert RECONCILE in world.storage.coordination.job_requests()


def test_names_are_updated_from_twitch(world: World) -> None:
    world.services.streamers.add("cool_user")
    world.twitch.known["1337"] = type(COOL_USER)("1337", "cooler_user", "Cooler_User")
    assert world.services.streamers.update_names() == 1
    assert logins(world) == ["cooler_user"]
    assert world.services.streamers.update_names() == 0


def test_names_of_streamers_who_were_just_added_are_not_requested_again(world: World) -> None:
    world.storage.add_streamers([Streamer("1", "old", "Old", START - timedelta(hours=13))])
    world.twitch.add_user("renamed", "1")
    world.services.streamers.add("cool_user")
    world.twitch.known["1337"] = type(COOL_USER)("1337", "cooler_user", "Cooler_User")
    assert world.services.streamers.update_names(timedelta(hours=12)) == 1
    assert sorted(logins(world)) == ["cool_user", "renamed"]


def test_names_are_updated_except_those_of_a_batch_that_twitch_refuses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [world.twitch.add_user(f"user_{n}", str(n)) for n in range(150)]
    world.storage.add_streamers([Streamer(user.user_id, "old", "Old", START) for user in users])
    answered = iter([False, True])
    find_users = world.twitch.users

    def refuse_first(*, user_ids: Collection[str]) -> FoundUsers:
        if not next(answered):
            raise TwitchRefused("Malformed query params.", 400)
        return find_users(user_ids=user_ids)

    monkeypatch.setattr(world.twitch, "users", refuse_first)
    assert world.services.streamers.update_names() == 50
    world.twitch.error = TwitchDenied("The credentials are invalid.", 401)
    monkeypatch.undo()
    with pytest.raises(TwitchDenied):
        world.services.streamers.update_names()


def test_a_streamer_who_is_removed_while_being_added_is_not_monitored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove(_user_ids: object) -> LiveStreams:
        world.services.streamers.remove("cool_user")
        return LiveStreams()

    monkeypatch.setattr(world.twitch, "streams", remove)
    with pytest.raises(NotMonitored):
        world.services.streamers.add("cool_user")
    assert logins(world) == []


def test_a_job_is_requested_when_another_process_holds_the_conduit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduit, "_LOCK_SECONDS", 0)
    settings = Settings(
        twitch_client_id="id",
        twitch_client_secret="secret",
        eventsub_transport=EventSubTransport.CONDUIT,
    )
    services = assemble(settings, world.storage, world.twitch, FakeAnalytics(), world.clock)
    world.twitch.go_live(COOL_USER)
    with distributed_lock(world.storage.coordination, "conduit"):
        added = services.streamers.add("cool_user")
    assert added.created
    assert world.live() == ["cool_user"]
    assert world.storage.coordination.job_requests().keys() == {RECONCILE}
