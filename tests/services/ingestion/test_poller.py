from collections.abc import Collection

import pytest

from streamwatch.domain.models import Streamer, StreamStatus
from streamwatch.services.ingestion.recorder import LeadershipLost
from streamwatch.services.twitch_batches import MAX_FAILURES
from streamwatch.twitch.base import (
    LiveStreams,
    TwitchDenied,
    TwitchError,
    TwitchRefused,
    TwitchUnavailable,
)
from tests import messages
from tests.clocks import START
from tests.messages import COOL_USER
from tests.services.conftest import World

LONG = 600.0


@pytest.fixture
def watched(world: World) -> World:
    """A world that monitors cool_user, who is live and was seen so by a refresh."""
    world.twitch.known[COOL_USER.user_id] = COOL_USER
    world.storage.add_streamers([Streamer("1337", "cool_user", "Cool_User", START)])
    world.twitch.go_live(COOL_USER, id="9001")
    world.services.poller.poll_all()
    assert world.live() == ["cool_user"]
    return world


def status(world: World) -> StreamStatus:
    found = world.storage.status("1337")
    assert found is not None
    return found


def test_a_failed_poll_however_often_never_ends_a_stream(watched: World) -> None:
    watched.twitch.error = TwitchUnavailable("Twitch is down.")
    for _ in range(20):
        watched.clock.advance(LONG)
        with pytest.raises(TwitchUnavailable):
            watched.services.poller.poll_all()
    assert watched.live() == ["cool_user"]


def test_two_refreshes_in_a_row_that_miss_a_stream_end_it(watched: World) -> None:
    watched.twitch.on.clear()
    watched.clock.advance(LONG)
    watched.services.poller.poll_all()
    assert watched.live() == ["cool_user"]
    watched.clock.advance(LONG)
    watched.services.poller.poll_all()
    assert watched.live() == []
    [end, _] = watched.storage.events(10)
    assert (end.source, end.timestamp) == ("poll", START)


@pytest.mark.parametrize(
    "error",
    [TwitchUnavailable("Twitch is down."), TwitchRefused("Malformed query params.", 400)],
    ids=["unavailable", "refused"],
)
def test_a_batch_that_is_not_answered_leaves_the_others_refreshed(
    world: World, error: TwitchError
) -> None:
    users = [world.twitch.add_user(f"user_{n}", str(n)) for n in range(150)]
    world.storage.add_streamers(
        [Streamer(user.user_id, user.login, user.display_name, START) for user in users]
    )
    for user in users:
        world.twitch.go_live(user)
    answered = iter([False, True])
    ask = world.twitch.streams

    def streams(user_ids: list[str]) -> object:
        if not next(answered):
            raise error
        return ask(user_ids)

    world.twitch.streams = streams  # type: ignore[method-assign, assignment]
    result = world.services.poller.poll_all()
    assert (result.asked, result.failed) == (150, 100)
    assert result.live == len(world.live()) == 50


def test_details_are_fetched_except_those_of_a_batch_that_twitch_refuses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [world.twitch.add_user(f"user_{n}", str(n)) for n in range(150)]
    world.storage.add_streamers([Streamer(u.user_id, u.login, u.login, START) for u in users])
    for user in users:
        world.twitch.go_live(user, id=f"9{user.user_id}")
        stream_id = f"9{user.user_id}"
        message = messages.online(user, stream_id, started_at=START, at=START)
        world.services.receiver.receive(message.headers, message.body)
    answered = iter([False, True])
    ask = world.twitch.streams

    def refuse_first(user_ids: list[str]) -> object:
        if not next(answered):
            raise TwitchRefused("Malformed query params.", 400)
        return ask(user_ids)

    monkeypatch.setattr(world.twitch, "streams", refuse_first)
    assert world.services.poller.fetch_details() == 50


def test_refused_credentials_end_a_refresh_at_once(world: World) -> None:
    world.storage.add_streamers([Streamer(str(n), f"user_{n}", "", START) for n in range(250)])
    world.twitch.error = TwitchDenied("The credentials are invalid.", 401)
    with pytest.raises(TwitchDenied):
        world.services.poller.poll_all()
    assert world.twitch.calls.count("streams") == 1


def test_a_refresh_gives_up_after_a_few_unanswered_batches_in_a_row(world: World) -> None:
    world.storage.add_streamers([Streamer(str(n), f"user_{n}", "", START) for n in range(2000)])
    answered = iter([False, False, True, *[False] * 17])
    asked: list[Collection[str]] = []

    def streams(user_ids: Collection[str]) -> LiveStreams:
        asked.append(user_ids)
        if not next(answered):
            raise TwitchUnavailable("Twitch did not answer GET /streams (ReadTimeout).")
        return LiveStreams()

    world.twitch.streams = streams  # type: ignore[method-assign]
    with pytest.raises(TwitchUnavailable):
        world.services.poller.poll_all()
    assert len(asked) == 3 + MAX_FAILURES


def test_streamers_are_asked_for_in_hundreds(world: World) -> None:
    world.storage.add_streamers([Streamer(str(n), f"user_{n}", "", START) for n in range(250)])
    world.services.poller.poll_all()
    assert world.twitch.calls == ["streams"] * 3


def test_live_streams_without_monitoring_are_refreshed_too(world: World) -> None:
    message = messages.online(at=START)
    world.services.receiver.receive(message.headers, message.body)
    for _ in range(2):
        world.clock.advance(LONG)
        world.services.poller.poll_all()
    assert world.live() == []


def test_details_are_fetched_for_streams_that_just_went_live(world: World) -> None:
    world.twitch.known[COOL_USER.user_id] = COOL_USER
    message = messages.online(at=START)
    world.services.receiver.receive(message.headers, message.body)
    assert world.services.poller.fetch_details() == 0
    world.twitch.go_live(COOL_USER, id="9001", viewer_count=123)
    world.clock.advance(2)
    assert world.services.poller.fetch_details() == 1
    stream = status(world).stream
    assert stream is not None
    assert stream.viewer_count == 123
    asked = len(world.twitch.calls)
    world.services.poller.fetch_details()
    assert len(world.twitch.calls) == asked


def test_details_that_helix_does_not_show_for_long_are_left_to_the_refresh(world: World) -> None:
    message = messages.online(at=START)
    world.services.receiver.receive(message.headers, message.body)
    world.clock.advance(601)
    world.services.poller.fetch_details()
    assert world.twitch.calls == []


def test_details_that_are_missing_are_no_absence(world: World) -> None:
    message = messages.online(at=START)
    world.services.receiver.receive(message.headers, message.body)
    for _ in range(5):
        world.clock.advance(110)
        world.services.poller.fetch_details()
    world.clock.advance(LONG)
    world.services.poller.poll_all()
    assert world.live() == ["cool_user"]


def test_a_former_leader_cannot_write_its_poll(watched: World) -> None:
    lease = watched.storage.coordination.acquire_lease("leader", "paused", 60)
    assert lease is not None
    watched.storage.coordination.release_lease(lease)
    before = status(watched)
    watched.clock.advance(60)
    with pytest.raises(LeadershipLost):
        watched.services.poller.poll_all(lease)
    assert status(watched) == before


def test_a_rename_that_a_poll_shows_moves_everything(watched: World) -> None:
    renamed = type(COOL_USER)("1337", "cooler_user", "Cooler_User")
    watched.twitch.known["1337"] = renamed
    watched.clock.advance(60)
    watched.services.poller.poll_all()
    assert [item.login for item in watched.services.streamers.all()] == ["cooler_user"]
    assert watched.services.status.find("Cooler_User").status.user_id == "1337"
    assert len(watched.services.events.of_streamer("cooler_user", 10)) == 1
    assert watched.services.events.of_streamer("cool_user", 10) == []
