"""GET /events/live, in the process; the sockets are in tests/e2e."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
import pytest

from streamwatch.api import event_stream
from tests import messages
from tests.api.world import World, problem
from tests.waiting import wait_for

Message = dict[str, Any]


@contextmanager
def listening(
    world: World, path: str = "/events/live", **headers: str
) -> Iterator[Iterator[Message]]:
    """What a client of Server-Sent Events gets, a message at a time."""
    response = world.app.test_client().get(path, headers=headers, buffered=False)
    assert response.status_code == 200, response.text
    assert response.content_type == "text/event-stream"
    try:
        yield read(response.iter_encoded())
    finally:
        response.close()


def read(chunks: Iterator[bytes]) -> Iterator[Message]:
    for chunk in chunks:
        fields = dict(line.split(b": ", 1) for line in chunk.splitlines() if line)
        message = {name.decode(): value.decode() for name, value in fields.items()}
        if "data" in message:
            message["data"] = orjson.loads(message["data"])
        yield message


def events(stream: Iterator[Message]) -> Iterator[Message]:
    return (message for message in stream if "event" in message)


@pytest.fixture
def lively(world: World) -> World:
    world.add("shroud")
    return world


@pytest.mark.parametrize(
    "headers",
    [{}, {"If-None-Match": '"x"'}, {"If-Modified-Since": "Mon, 01 Jun 2026 12:00:00 GMT"}],
    ids=str,
)
@pytest.mark.timeout(20)
def test_the_first_line_names_the_position_to_resume_from(
    lively: World, headers: dict[str, str]
) -> None:
    lively.send(messages.online())
    with listening(lively, **headers) as stream:
        assert next(stream) == {"retry": "3000", "id": lively.storage.feed.last_id()}


def test_a_webhook_is_received_at_once(lively: World) -> None:
    with listening(lively) as stream:
        message = messages.online()
        lively.send(message)
        heard = next(events(stream))
    assert heard["event"] == "stream.online"
    assert heard["id"] == lively.storage.feed.last_id()
    assert heard["data"]["id"] == message.headers["Twitch-Eventsub-Message-Id"]
    assert heard["data"].keys() == lively.get("/events").get_json()["events"][0].keys()


def test_last_event_id_replays_missed_events(lively: World) -> None:
    with listening(lively) as stream:
        lively.send(messages.online())
        place = next(events(stream))["id"]
    lively.send(messages.offline())
    with listening(lively, **{"Last-Event-ID": place}) as stream:
        assert next(events(stream))["event"] == "stream.offline"


def test_listeners_can_name_in_the_url_where_they_begin(lively: World) -> None:
    with listening(lively) as stream:
        lively.send(messages.online())
        place = next(events(stream))["id"]
    lively.send(messages.offline())
    with listening(lively, f"/events/live?after={place}") as stream:
        heard = next(events(stream))
        assert heard["event"] == "stream.offline"
    lively.send(messages.online())
    # A browser that reconnects sends the same URL again.
    headers = {"Last-Event-ID": heard["id"]}
    with listening(lively, f"/events/live?after={place}", **headers) as stream:
        assert next(events(stream))["event"] == "stream.online"


@pytest.mark.parametrize("unknown", ["of another time", "9" * 7000, "-1", "9-9", "\xff"])
def test_an_unknown_last_event_id_gives_a_gap(lively: World, unknown: str) -> None:
    lively.send(messages.online())
    with listening(lively, **{"Last-Event-ID": unknown}) as stream:
        heard = events(stream)
        assert next(heard)["event"] == "gap"
        assert next(heard)["event"] == "stream.online"


@pytest.mark.parametrize("malformed", ["of another time", "9" * 7000, "\xff"])
def test_a_malformed_last_event_id_is_not_sent_back(lively: World, malformed: str) -> None:
    with listening(lively, **{"Last-Event-ID": malformed}) as stream:
        assert next(stream)["id"] == "unknown"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?type=stream.offline", ["stream.offline"]),
        ("?type=stream.online&type=stream.offline", ["stream.online", "stream.offline"]),
        ("?streamer=COOL_USER", ["stream.online", "stream.offline"]),
        ("?streamer=cool_user&streamer=waldkauzig&type=stream.online", ["stream.online"]),
    ],
)
def test_listeners_receive_only_the_requested_events(
    lively: World, query: str, wanted: list[str]
) -> None:
    with listening(lively, f"/events/live{query}") as stream:
        lively.send(messages.online())
        lively.send(messages.offline())
        heard = events(stream)
        assert [next(heard)["event"] for _ in wanted] == wanted


def test_filtered_events_advance_the_resume_position(
    lively: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0)
    with listening(lively, "/events/live?streamer=nobody") as stream:
        next(stream)
        lively.send(messages.online())
        last = lively.storage.feed.last_id()
        wait_for(lambda: next(stream)["id"] == last)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("?type=stream.unknown", "type.0"),
        ("?streamer=not-a-login", "streamer.0"),
        (f"?after={'9' * 65}", "after"),
        ("?after=", "after"),
        ("?after=1%0Adata:%20forged", "after"),
        ("?after=1%0A", "after"),
        ("?after=1%0D", "after"),
        ("?after=of%20another%20time", "after"),
        ("?after=%C3%BF", "after"),
    ],
)
def test_invalid_queries_are_422(lively: World, query: str, name: str) -> None:
    [fault] = problem(lively.get(f"/events/live{query}"), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("query", name)


def test_a_ninth_stream_of_a_client_ends_at_once_and_says_when_to_try_again(
    world: World,
) -> None:
    with ExitStack() as streams:
        for _ in range(8):
            assert next(streams.enter_context(listening(world)))["retry"] == "3000"
        surplus = world.get("/events/live")
        assert (surplus.status_code, surplus.text) == (200, "retry: 10000\n\n")
        other = world.app.test_client().get(
            "/events/live", buffered=False, environ_base={"REMOTE_ADDR": "198.51.100.7"}
        )
        assert next(read(other.iter_encoded()))["retry"] == "3000"
        other.close()
        assert world.get("/streamers").status_code == 200
    with listening(world) as stream:
        assert next(stream)["retry"] == "3000"


def test_an_unread_response_takes_no_place_of_a_listener(world: World) -> None:
    for _ in range(20):
        with world.client.head("/events/live") as response:
            assert response.status_code == 200
    with listening(world) as stream:
        assert next(stream)["retry"] == "3000"  # the client has a stream left


def test_the_stream_ends_with_the_process(lively: World) -> None:
    with listening(lively) as stream:
        next(stream)
        lively.app.extensions["streamwatch"].broadcaster.close()
        assert list(events(stream)) == []


def test_a_proxy_hands_each_event_on_at_once(lively: World) -> None:
    response = lively.app.test_client().get("/events/live", buffered=False)
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Cache-Control"] == "no-store"
    response.close()
