import json

import pytest

from streamwatch.domain.models import Streamer, StreamStatus
from streamwatch.services.observer import LeadershipLost
from streamwatch.twitch.base import TwitchUnavailable
from tests import messages
from tests.messages import COOL_USER
from tests.services.conftest import START, House

LONG = 600.0


@pytest.fixture
def watched(house: House) -> House:
    """A house that monitors cool_user, who is live and was seen so by a refresh."""
    house.twitch.known[COOL_USER.user_id] = COOL_USER
    house.storage.add_streamers([Streamer("1337", "cool_user", "Cool_User", START)])
    house.twitch.go_live(COOL_USER, id="9001")
    house.services.refresh.everyone()
    assert house.live() == ["cool_user"]
    return house


def status(house: House) -> StreamStatus:
    found = house.storage.status("1337")
    assert found is not None
    return found


def test_a_failed_poll_however_often_never_ends_a_stream(watched: House) -> None:
    watched.twitch.error = TwitchUnavailable("Twitch is down.")
    for _ in range(20):
        watched.clock.advance(LONG)
        with pytest.raises(TwitchUnavailable):
            watched.services.refresh.everyone()
    assert watched.live() == ["cool_user"]


def test_two_refreshes_in_a_row_that_miss_a_stream_end_it(watched: House) -> None:
    watched.twitch.on.clear()
    watched.clock.advance(LONG)
    watched.services.refresh.everyone()
    assert watched.live() == ["cool_user"]
    watched.clock.advance(LONG)
    watched.services.refresh.everyone()
    assert watched.live() == []
    [end, _] = watched.storage.events(10)
    assert (end.source, end.timestamp) == ("poll", START)


def test_a_batch_that_is_not_answered_leaves_the_others_refreshed(house: House) -> None:
    users = [house.twitch.add_user(f"user_{n}", str(n)) for n in range(150)]
    house.storage.add_streamers(
        [Streamer(user.user_id, user.login, user.display_name, START) for user in users]
    )
    for user in users:
        house.twitch.go_live(user)
    answered = iter([False, True])
    ask = house.twitch.streams

    def streams(user_ids: list[str]) -> object:
        if not next(answered):
            raise TwitchUnavailable("Twitch is down.")
        return ask(user_ids)

    house.twitch.streams = streams  # type: ignore[method-assign, assignment]
    result = house.services.refresh.everyone()
    assert (result.asked, result.failed) == (150, 100)
    assert result.live == len(house.live()) == 50


def test_streamers_are_asked_for_in_hundreds(house: House) -> None:
    house.storage.add_streamers([Streamer(str(n), f"user_{n}", "", START) for n in range(250)])
    house.services.refresh.everyone()
    assert house.twitch.calls == ["streams"] * 3


def test_who_is_live_without_being_monitored_is_refreshed_too(house: House) -> None:
    message = messages.online(at=START)
    house.services.ingest.receive(message.headers, message.body)
    for _ in range(2):
        house.clock.advance(LONG)
        house.services.refresh.everyone()
    assert house.live() == []


def test_details_are_fetched_for_streams_that_just_went_live(house: House) -> None:
    house.twitch.known[COOL_USER.user_id] = COOL_USER
    message = messages.online(at=START)
    house.services.ingest.receive(message.headers, message.body)
    assert house.services.refresh.details() == 0
    house.twitch.go_live(COOL_USER, id="9001", viewer_count=123)
    house.clock.advance(2)
    assert house.services.refresh.details() == 1
    stream = status(house).stream
    assert stream is not None
    assert stream.viewer_count == 123
    asked = len(house.twitch.calls)
    house.services.refresh.details()
    assert len(house.twitch.calls) == asked


def test_details_that_helix_does_not_show_for_long_are_left_to_the_refresh(house: House) -> None:
    message = messages.online(at=START)
    house.services.ingest.receive(message.headers, message.body)
    house.clock.advance(601)
    house.services.refresh.details()
    assert house.twitch.calls == []


def test_details_that_are_missing_are_no_absence(house: House) -> None:
    message = messages.online(at=START)
    house.services.ingest.receive(message.headers, message.body)
    for _ in range(5):
        house.clock.advance(110)
        house.services.refresh.details()
    house.clock.advance(LONG)
    house.services.refresh.everyone()
    assert house.live() == ["cool_user"]


def test_what_a_leader_polled_before_it_was_succeeded_is_not_written(watched: House) -> None:
    lease = watched.storage.coordination.acquire_lease("leader", "paused", 60)
    assert lease is not None
    watched.storage.coordination.release_lease(lease)
    before = status(watched)
    watched.clock.advance(60)
    with pytest.raises(LeadershipLost):
        watched.services.refresh.everyone(lease)
    assert status(watched) == before


def test_a_rename_that_a_poll_shows_moves_everything(watched: House) -> None:
    renamed = type(COOL_USER)("1337", "cooler_user", "Cooler_User")
    watched.twitch.known["1337"] = renamed
    watched.clock.advance(60)
    watched.services.refresh.everyone()
    assert [item.login for item in watched.services.streamers.all()] == ["cooler_user"]
    assert json.loads(watched.services.statuses.of_json("Cooler_User"))["user_id"] == "1337"
    assert len(watched.services.history.of_streamer("cooler_user", 10)) == 1
    assert watched.services.history.of_streamer("cool_user", 10) == []
