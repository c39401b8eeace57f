from datetime import UTC, datetime, timedelta

import pytest

from streamwatch.domain.models import User
from streamwatch.domain.times import parse_time
from tests import messages
from tests.api.world import World, problem

PATHS = ("/events", "/events/type/stream.online", "/events/streamer/cool_user")


def fill(world: World, count: int, user: User = messages.COOL_USER) -> None:
    """Send `count` onlines and offlines of `user`, one second apart, the last one now."""
    start = datetime.now(UTC) - timedelta(seconds=count)
    for number in range(count):
        make = messages.offline if number % 2 else messages.online
        message = make(user, f"{user.user_id}{number // 2}", at=start + timedelta(seconds=number))
        assert world.send(message).status_code == 204


def test_event_has_the_fields_that_twitch_sent(world: World) -> None:
    at = datetime.now(UTC)
    world.send(messages.online(message_id="message-1", at=at, stream_id="9001"))
    answer = world.get("/events").get_json()
    assert set(answer) == {"events", "count", "next"}
    [event] = answer["events"]
    assert event["id"] == "message-1"
    assert event["event_type"] == "stream.online"
    assert (event["broadcaster_id"], event["broadcaster_login"]) == ("1337", "cool_user")
    assert event["broadcaster_name"] == "Cool_User"
    assert event["timestamp"].endswith("Z")
    assert parse_time(event["timestamp"]) == at
    assert event["source"] == "eventsub"
    assert event["data"]["id"] == "9001"
    assert event["data"]["broadcaster_user_login"] == "cool_user"


def test_events_come_newest_first_and_at_most_the_limit(world: World) -> None:
    fill(world, 5)
    events = world.get("/events").get_json()["events"]
    times = [parse_time(event["timestamp"]) for event in events]
    assert len(events) == 5
    assert times == sorted(times, reverse=True)
    answer = world.get("/events?limit=2").get_json()
    assert answer == {"events": events[:2], "count": 2, "next": answer["next"]}


def test_events_of_a_type(world: World) -> None:
    fill(world, 5)
    answer = world.get("/events/type/stream.offline?limit=10").get_json()
    assert set(answer) == {"events", "event_type", "count", "next"}
    assert (answer["event_type"], answer["count"]) == ("stream.offline", 2)
    assert {event["event_type"] for event in answer["events"]} == {"stream.offline"}
    assert world.get("/events/type/stream.online").get_json()["count"] == 3


def test_a_quiet_streamers_events_are_found_however_many_came_after(world: World) -> None:
    quiet = User("1", "quiet", "Quiet")
    at = datetime.now(UTC) - timedelta(minutes=8)
    world.send(messages.online(quiet, "s1", at=at, message_id="the-quiet-one"))
    fill(world, 60)
    assert "the-quiet-one" not in {e["id"] for e in world.get("/events").get_json()["events"]}
    answer = world.get("/events/streamer/Quiet?limit=1").get_json()
    assert set(answer) == {"events", "streamer", "count", "next"}
    assert (answer["streamer"], answer["count"]) == ("quiet", 1)
    assert answer["events"][0]["id"] == "the-quiet-one"


def test_unknown_streamer_has_no_events(world: World) -> None:
    answer = world.get("/events/streamer/nobody").get_json()
    assert answer == {"events": [], "streamer": "nobody", "count": 0, "next": None}


@pytest.mark.parametrize("path", PATHS)
def test_fifty_events_are_the_default(world: World, path: str) -> None:
    fill(world, 120)
    assert world.get(path).get_json()["count"] == 50
    assert world.get(f"{path}?limit=1").get_json()["count"] == 1
    assert world.get(f"{path}?limit=1000").get_json()["count"] >= 60


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "", "1.5", "1e2", "9" * 5000, "NaN"])
def test_a_limit_out_of_bounds_is_422(world: World, path: str, limit: str) -> None:
    [fault] = problem(world.get(f"{path}?limit={limit}"), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("query", "limit")


@pytest.mark.parametrize("path", PATHS)
def test_unknown_query_parameter_is_refused_by_name(world: World, path: str) -> None:
    errors = problem(world.get(f"{path}?offset=3"), 422)["errors"]
    assert [(error["in"], error["name"]) for error in errors] == [("query", "offset")]


@pytest.mark.parametrize("event_type", ["channel.follow", "online", "stream.Online", "{}"])
def test_unknown_event_type_is_refused_with_the_known_types(world: World, event_type: str) -> None:
    [fault] = problem(world.get(f"/events/type/{event_type}"), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("path", "event_type")
    assert "stream.online" in fault["detail"]
    assert "stream.offline" in fault["detail"]
