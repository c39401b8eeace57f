"""Removals and renames reach status, history and analytics."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from streamwatch.domain.models import Change, Streamer, User
from streamwatch.domain.observations import SeenLive
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.storage.base import Committed, Lease, StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.twitch.base import TwitchUnavailable
from tests import messages
from tests.clocks import START
from tests.messages import COOL_USER
from tests.services.conftest import World


@pytest.fixture
def watched(world: World) -> World:
    """cool_user is monitored and live, and a sample of the stream is in the analytics."""
    world.twitch.known[COOL_USER.user_id] = COOL_USER
    world.twitch.go_live(COOL_USER, id="9001")
    world.services.streamers.add("cool_user")
    project(world)
    return world


def project(world: World) -> None:
    while world.services.projector.run_once():
        pass


def receive(world: World, message: messages.Message) -> None:
    world.services.receiver.receive(message.headers, message.body)


def test_removal_ends_the_session_when_the_stream_was_last_seen(watched: World) -> None:
    watched.clock.advance(300)
    watched.services.poller.poll_all()
    watched.clock.advance(100)
    watched.services.streamers.remove("cool_user")
    project(watched)
    [session] = watched.services.analytics.sessions("1337", 10)
    assert session.ended_at == START + timedelta(seconds=300)
    assert watched.events() == ["stream.online lookup"]


def test_a_stream_continues_when_its_streamer_is_added_again(watched: World) -> None:
    watched.services.streamers.remove("cool_user")
    watched.clock.advance(60)
    watched.services.streamers.add("cool_user")
    project(watched)
    [session] = watched.services.analytics.sessions("1337", 10)
    assert session.ended_at is None
    assert watched.live() == ["cool_user"]
    assert watched.events() == ["stream.online lookup"]


def test_duplicates_of_a_start_are_recognized_after_a_removal(watched: World) -> None:
    receive(watched, messages.online(started_at=START, at=START))
    watched.services.streamers.remove("cool_user")
    watched.clock.advance(60)
    watched.services.streamers.add("cool_user")
    receive(watched, messages.online(started_at=START, at=START))
    assert watched.events() == ["stream.online eventsub"]


def test_a_poll_that_was_under_way_does_not_bring_a_removed_streamer_back(watched: World) -> None:
    [seen] = watched.twitch.streams(["1337"]).seen
    assert isinstance(seen, SeenLive)
    watched.services.streamers.remove("cool_user")
    ObservationRecorder(watched.storage).record([seen])
    assert watched.live() == []
    assert watched.storage.find_status("cool_user") is None


def test_a_poll_that_was_planned_before_a_removal_does_not_reopen_the_session(
    watched: World,
) -> None:
    watched.services.streamers.remove("cool_user")
    watched.clock.advance(5)
    ObservationRecorder(watched.storage).record(watched.twitch.streams(["1337"]).seen)
    project(watched)
    [session] = watched.services.analytics.sessions("1337", 10)
    assert session.ended_at is not None


@pytest.mark.parametrize("delay", [0, 2])
def test_a_stream_that_starts_after_the_removal_does_not_stay_open(
    watched: World, delay: int
) -> None:
    watched.services.streamers.remove("cool_user")
    later = START + timedelta(seconds=10)
    watched.clock.advance(20)
    sent_at = later + timedelta(seconds=delay)
    receive(watched, messages.online(stream_id="9002", started_at=later, at=sent_at))
    project(watched)
    assert all(item.ended_at for item in watched.services.analytics.sessions("1337", 10))


def test_a_stream_does_not_stay_open_if_its_streamer_was_removed_before_the_first_poll(
    world: World,
) -> None:
    world.twitch.known[COOL_USER.user_id] = COOL_USER
    world.services.streamers.add_many(["cool_user"])
    world.services.streamers.remove("cool_user")
    receive(world, messages.online(started_at=START, at=START))
    project(world)
    [session] = world.services.analytics.sessions("1337", 10)
    assert session.ended_at is not None
    assert world.live() == []


def test_a_removal_that_the_storage_interrupts_leaves_no_session_open(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable

    def remove_and_fail(user_id: str) -> Streamer | None:
        removed = MemoryStorage.remove_streamer(watched.storage, user_id)
        monkeypatch.setattr(watched.storage, "commit", fail)
        return removed

    monkeypatch.setattr(watched.storage, "remove_streamer", remove_and_fail)
    with suppress(StorageUnavailable):
        watched.services.streamers.remove("cool_user")
    project(watched)
    [session] = watched.services.analytics.sessions("1337", 10)
    assert session.ended_at is not None


def test_a_late_copy_of_a_start_does_not_show_a_stream_whose_session_a_removal_closed(
    watched: World,
) -> None:
    watched.services.streamers.remove("cool_user")
    watched.twitch.errors["streams"] = TwitchUnavailable("Twitch is down.")
    watched.services.streamers.add("cool_user")
    for number in range(2):
        receive(watched, messages.online(started_at=START, at=START, message_id=f"copy-{number}"))
        project(watched)
        [session] = watched.services.analytics.sessions("1337", 10)
        assert (watched.live(), session.ended_at is None) == ([], False)
    watched.twitch.errors.clear()
    watched.clock.advance(60)
    watched.services.poller.poll_all()
    project(watched)
    [session] = watched.services.analytics.sessions("1337", 10)
    assert (watched.live(), session.ended_at is None) == (["cool_user"], True)


def test_a_removal_ends_the_monitoring_although_the_clock_is_behind(world: World) -> None:
    world.twitch.known[COOL_USER.user_id] = COOL_USER
    world.services.streamers.add("cool_user")
    ahead = START + timedelta(seconds=2)
    receive(world, messages.online(started_at=ahead, at=ahead))
    world.services.streamers.remove("cool_user")
    project(world)
    [session] = world.services.analytics.sessions("1337", 10)
    assert session.ended_at is not None


@pytest.mark.parametrize("by", ["names", "adding"])
def test_a_rename_reaches_status_history_and_analytics_at_once(watched: World, by: str) -> None:
    watched.twitch.known["1337"] = User("1337", "new_name", "New_Name")
    watched.clock.advance(60)
    if by == "names":
        assert watched.services.streamers.update_names() == 1
    else:
        assert not watched.services.streamers.add("new_name").created
    project(watched)
    status = watched.storage.find_status("new_name")
    assert status is not None
    assert status.display_name == "New_Name"
    assert len(watched.services.events.of_streamer("new_name", 10)) == 1
    assert watched.services.analytics.find("new_name") is not None
    assert watched.services.analytics.find("cool_user") is None


def test_a_rename_reaches_the_record_although_the_storage_fails_within_the_batch(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store_and_fail(changes: Sequence[Change], lease: Lease | None = None) -> list[Committed]:
        MemoryStorage.commit(watched.storage, changes, lease)
        raise StorageUnavailable

    watched.twitch.known["1337"] = User("1337", "new_name", "New_Name")
    watched.twitch.go_live(watched.twitch.known["1337"], id="9001")
    watched.clock.advance(60)
    with monkeypatch.context() as failing:
        failing.setattr(watched.storage, "commit", store_and_fail)
        with pytest.raises(StorageUnavailable):
            watched.services.poller.poll_all()
    watched.clock.advance(60)
    watched.services.poller.poll_all()
    assert [streamer.login for streamer in watched.services.streamers.all()] == ["new_name"]
    assert watched.live() == ["new_name"]


@pytest.mark.parametrize("by", ["poll", "names"])
def test_a_wrong_name_in_a_message_lasts_until_twitch_says_otherwise(
    watched: World, by: str
) -> None:
    """Twitch's command-line tool calls everyone testBroadcaster."""
    wrong = User("1337", "testbroadcaster", "testBroadcaster")
    watched.clock.advance(60)
    receive(watched, messages.update(wrong, "New", ("1", "Chess"), at=watched.clock.now))
    assert watched.live() == ["testbroadcaster"]
    watched.clock.advance(60)
    if by == "poll":
        watched.services.poller.poll_all()
    else:
        watched.services.streamers.update_names()
    project(watched)
    assert watched.live() == ["cool_user"]
    [streamer] = watched.services.streamers.all()
    assert (streamer.login, streamer.display_name) == ("cool_user", "Cool_User")
    assert watched.services.analytics.find("cool_user") is not None
    assert watched.services.analytics.find("testbroadcaster") is None
    receive(watched, messages.offline(wrong, "9001", at=watched.clock.now))  # as old as the answer
    watched.clock.advance(60)
    watched.services.streamers.update_names()
    [streamer] = watched.services.streamers.all()
    assert streamer.login == "cool_user"
    status = watched.storage.find_status("cool_user")
    assert status is not None
    assert status.stream is None


def test_a_refresh_that_began_before_a_rename_does_not_undo_it(watched: World) -> None:
    watched.twitch.on.clear()
    ask = watched.twitch.streams

    def renamed_meanwhile(user_ids: list[str]) -> object:
        watched.twitch.known["1337"] = User("1337", "new_name", "New_Name")
        watched.services.streamers.update_names()
        return ask(user_ids)

    watched.clock.advance(600)
    watched.twitch.streams = renamed_meanwhile  # type: ignore[method-assign, assignment]
    watched.services.poller.poll_all()
    status = watched.storage.status("1337")
    assert status is not None
    assert status.login == "new_name"
    assert [item.login for item in watched.services.streamers.all()] == ["new_name"]
