import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from streamwatch.domain.models import EventType, Source, Stream, User
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.subscriptions import DesiredSubscription, WebhookTransport
from streamwatch.twitch.base import (
    FoundUsers,
    LiveStreams,
    RateLimitState,
    TwitchNotConfigured,
    TwitchUnavailable,
)
from streamwatch.twitch.client import Helix
from tests.twitch.conftest import (
    API,
    FakeTime,
    MakeHelix,
    MemoryTokens,
    stream_item,
    user_item,
)

Mock = responses.RequestsMock

USERS = f"{API}/users"
STREAMS = f"{API}/streams"

NOT_PROMISED = [
    "<html>bad gateway</html>",
    "",
    "[]",
    "{}",
    '{"data": null}',
    '{"data": {}}',
    '{"data": [null]}',
    '{"data": [7]}',
    '{"data": [{}]}',
    '{"data": [], "more": NaN}',
]


def asked(request: requests.PreparedRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(str(request.url)).query)


def test_users_are_found_by_login_and_by_id_with_their_login_in_lower_case(
    helix: Helix, twitch: Mock
) -> None:
    twitch.get(USERS, json={"data": [user_item("1", "Shroud"), user_item("2", "ninja")]})

    found = helix.users(logins=["SHROUD", "shroud"], user_ids=["2", "2"])

    assert found == FoundUsers((User("1", "shroud", "Shroud"), User("2", "ninja", "Ninja")))
    assert asked(twitch.calls[0].request) == [("login", "shroud"), ("id", "2")]


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("https://static-cdn.jtvnw.net/ann.png", "https://static-cdn.jtvnw.net/ann.png"),
        ("", None),
        (None, None),
        ("javascript:alert(1)", None),
        ("https://example.com/'onerror=", None),
    ],
)
def test_a_user_has_an_image_if_its_address_is_usable(
    helix: Helix, twitch: Mock, given: str | None, known: str | None
) -> None:
    twitch.get(USERS, json={"data": [user_item("1", "ann") | {"profile_image_url": given}]})
    assert [user.profile_image_url for user in helix.users(logins=["ann"]).users] == [known]


def test_a_user_that_is_missing_from_the_answer_is_not_found(helix: Helix, twitch: Mock) -> None:
    twitch.get(USERS, json={"data": []})

    assert helix.users(logins=["nobody_here"]) == FoundUsers()


@pytest.mark.parametrize(
    "odd",
    [
        {"id": ""},
        {"id": "*} {x"},
        {"login": "a\nb"},
        {"login": ""},
        {"login": "a" * 26},
        {"display_name": ""},
        {"display_name": "a\x00b"},
    ],
)
def test_a_user_with_a_malformed_field_is_left_out(
    helix: Helix, twitch: Mock, odd: dict[str, str]
) -> None:
    items = [user_item("1", "shroud"), user_item("2", "ninja") | odd]
    twitch.get(USERS, json={"data": items})

    found = helix.users(logins=["shroud", "ninja"], user_ids=["2"])

    assert found.users == (User("1", "shroud", "Shroud"),)
    assert found.unreadable == {"ninja"}


def test_a_user_who_was_not_requested_is_left_out(helix: Helix, twitch: Mock) -> None:
    items = [user_item("1", "shroud"), user_item("3", "somebody_else")]
    twitch.get(USERS, json={"data": items})

    found = helix.users(logins=["shroud", "ninja"], user_ids=["2"])

    assert found.users == (User("1", "shroud", "Shroud"),)
    assert found.unreadable == {"ninja"}  # the other item may be an odd answer about this login


def test_an_answer_about_another_user_alone_is_never_an_empty_result(
    helix: Helix, twitch: Mock
) -> None:
    twitch.get(USERS, json={"data": [user_item("3", "somebody_else")]})

    with pytest.raises(TwitchUnavailable):
        helix.users(logins=["shroud"])


@pytest.mark.parametrize(
    "login",
    ["", "a" * 26, "two words", "a&id=1", "a\n", "a\0", "ünï", "../x", "shroud?", "١٢٣", "\ud800"],
)
def test_an_invalid_login_is_not_requested(helix: Helix, twitch: Mock, login: str) -> None:
    assert helix.users(logins=[login]) == FoundUsers()


def test_users_are_requested_in_batches_of_100_ids_and_logins(helix: Helix, twitch: Mock) -> None:
    for items in ([], [user_item("1", "shroud")], []):
        twitch.get(USERS, json={"data": items})

    found = helix.users(
        logins=[f"login{n}" for n in range(101)], user_ids=[str(n) for n in range(149)]
    )

    assert [len(asked(call.request)) for call in twitch.calls] == [100, 100, 50]
    assert [user.user_id for user in found.users] == ["1"]


def test_a_stream_has_all_fields_of_the_response(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    twitch.get(STREAMS, json={"data": [stream_item("7", user_login="Cool_User")]})

    assert helix.streams(["7"]).seen == (
        SeenLive(
            user_id="7",
            login="cool_user",
            display_name="Login_7",
            stream=Stream(
                id="47",
                started_at=datetime(2026, 5, 1, 11, tzinfo=UTC),
                type="live",
                viewer_count=78,
                game_id="12453",
                game_name="Grand Theft Auto",
                title="Best Stream Ever",
                language="en",
                tags=("English",),
                thumbnail_url="https://static.twitch.test/live_{width}x{height}.jpg",
            ),
            at=time.now,
            source=Source.POLL,
        ),
    )


def test_streams_are_requested_by_id_in_batches_of_100(helix: Helix, twitch: Mock) -> None:
    for part in (range(100), range(100, 200), range(200, 250)):
        twitch.get(
            STREAMS,
            json={
                "data": [stream_item(str(n)) for n in part],
                "pagination": {"cursor": "there is no more"},
            },
        )

    seen = helix.streams([str(n) for n in range(250)] + ["0"]).seen

    assert [stream.user_id for stream in seen] == [str(n) for n in range(250)]
    queries = [asked(call.request) for call in twitch.calls]
    assert [len(query) for query in queries] == [101, 101, 51]
    assert {name for query in queries for name, _ in query} == {"user_id", "first"}
    assert all(("first", "100") in query for query in queries)


def test_at_most_one_stream_is_returned_for_each_requested_user(helix: Helix, twitch: Mock) -> None:
    older = stream_item("7", id="older", started_at="2026-05-01T09:00:00Z")
    newer = stream_item("7", id="newer")
    twitch.get(STREAMS, json={"data": [older, newer, newer, older, stream_item("8")]})

    assert [live.stream.id for live in helix.streams(["7"]).seen] == ["newer"]


@pytest.mark.parametrize("missing", [True, False])
def test_a_stream_without_tags_has_none(helix: Helix, twitch: Mock, missing: bool) -> None:
    item = stream_item("7", tags=None)
    if missing:
        del item["tags"]
    twitch.get(STREAMS, json={"data": [item]})

    assert helix.streams(["7"]).seen[0].stream.tags == ()


def test_a_stream_is_dated_to_its_request(helix: Helix, twitch: Mock, time: FakeTime) -> None:
    start = time.now

    def a_slow_answer(_: Any) -> tuple[int, dict[str, str], str]:
        time.now += timedelta(seconds=4)
        return 200, {}, json.dumps({"data": [stream_item("7")]})

    twitch.get(STREAMS, status=503)
    twitch.add_callback("GET", STREAMS, a_slow_answer)

    assert helix.streams(["7"]).seen[0].at == start + timedelta(seconds=0.75)


@pytest.mark.parametrize(("started", "seen"), [(3, 3), (5, 4)], ids=["during", "clock ahead"])
def test_a_stream_that_starts_during_the_request_is_dated_to_its_start(
    helix: Helix, twitch: Mock, time: FakeTime, started: int, seen: int
) -> None:
    asked_at = time.now
    started_at = (asked_at + timedelta(seconds=started)).isoformat()

    def a_slow_answer(_: Any) -> tuple[int, dict[str, str], str]:
        time.now += timedelta(seconds=4)
        return 200, {}, json.dumps({"data": [stream_item("7", started_at=started_at)]})

    twitch.add_callback("GET", STREAMS, a_slow_answer)

    assert helix.streams(["7"]).seen[0].at == asked_at + timedelta(seconds=seen)


def test_an_empty_request_makes_no_call(helix: Helix, twitch: Mock) -> None:
    assert helix.users() == FoundUsers()
    assert helix.streams([]) == LiveStreams()


@pytest.mark.parametrize("body", NOT_PROMISED)
def test_a_malformed_response_is_never_an_empty_result(
    helix: Helix, twitch: Mock, body: str
) -> None:
    twitch.get(USERS, body=body)
    twitch.get(STREAMS, body=body)

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.users(logins=["shroud"])
    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.streams(["7"])


@pytest.mark.parametrize("field", ["id", "login", "display_name"])
def test_a_user_without_a_field_is_an_error(helix: Helix, twitch: Mock, field: str) -> None:
    twitch.get(USERS, json={"data": [user_item("1", "shroud") | {field: None}]})

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.users(logins=["shroud"])


@pytest.mark.parametrize("field", sorted(stream_item("7").keys() - {"tags", "is_mature"}))
def test_a_stream_without_a_field_is_left_out(helix: Helix, twitch: Mock, field: str) -> None:
    broken = stream_item("8")
    del broken[field]
    twitch.get(STREAMS, json={"data": [stream_item("7"), broken]})

    answer = helix.streams(["7", "8"])

    assert [live.user_id for live in answer.seen] == ["7"]
    assert answer.unreadable == {"8"}


@pytest.mark.parametrize(
    "odd",
    [
        {"id": ""},
        {"id": "*} {x"},
        {"user_login": "a\nb"},
        {"user_name": "a\x00b"},
        {"started_at": "0001-01-01T00:00:00Z"},
        {"started_at": "9999-12-31T23:59:59Z"},
        {"viewer_count": 10**30},
        {"viewer_count": -1},
        {"title": "half an emoji \ud83d"},
        {"title": "x" * 1025},
        {"tags": ["English"] * 101},
    ],
)
def test_a_malformed_stream_does_not_affect_the_others(
    helix: Helix, twitch: Mock, odd: dict[str, Any]
) -> None:
    twitch.get(STREAMS, body=json.dumps({"data": [stream_item("8", **odd), stream_item("7")]}))

    answer = helix.streams(["7", "8", "9"])

    assert [live.user_id for live in answer.seen] == ["7"]
    assert answer.unreadable == {"8"}


@pytest.mark.parametrize("item", [None, 7, {}, {"user_id": 8}, {"user_id": None}])
def test_a_stream_without_a_user_may_be_that_of_any_requested_user(
    helix: Helix, twitch: Mock, item: object
) -> None:
    twitch.get(STREAMS, json={"data": [item, stream_item("7")]})

    answer = helix.streams(["7", "8"])

    assert [live.user_id for live in answer.seen] == ["7"]
    assert answer.unreadable == {"8"}


def test_a_byte_that_is_not_utf_8_affects_only_its_item(helix: Helix, twitch: Mock) -> None:
    items = {"data": [stream_item("7"), stream_item("8", title="TITLE")]}
    twitch.get(STREAMS, body=json.dumps(items).encode().replace(b"TITLE", b"\xff\xfe"))

    answer = helix.streams(["7", "8"])

    assert [live.user_id for live in answer.seen] == ["7"]
    assert answer.unreadable == {"8"}


def test_a_malformed_user_does_not_affect_the_others(helix: Helix, twitch: Mock) -> None:
    twitch.get(
        USERS, json={"data": [user_item("1", "shroud"), user_item("2", "ninja") | {"id": 2}]}
    )

    found = helix.users(logins=["shroud", "ninja", "nobody_here"])

    assert found.users == (User("1", "shroud", "Shroud"),)
    assert found.unreadable == {"ninja"}  # the item has this login


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("viewer_count", "78"),
        ("viewer_count", True),
        ("viewer_count", 7.5),
        ("started_at", "yesterday"),
        ("started_at", "2026-05-01T11:00:00"),
        ("tags", "English"),
        ("tags", [1]),
    ],
)
def test_a_stream_with_a_field_of_another_type_is_an_error(
    helix: Helix, twitch: Mock, field: str, value: Any
) -> None:
    twitch.get(STREAMS, json={"data": [stream_item("7", **{field: value})]})

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.streams(["7"])


def test_a_title_that_cannot_be_stored_is_an_error(helix: Helix, twitch: Mock) -> None:
    twitch.get(STREAMS, json={"data": [stream_item("7", title="half an emoji \ud83d")]})

    with pytest.raises(TwitchUnavailable, match="is malformed"):
        helix.streams(["7"])


def test_the_rate_limit_state_is_that_of_the_last_response(
    helix: Helix, twitch: Mock, time: FakeTime
) -> None:
    limits = {"Ratelimit-Limit": "800", "Ratelimit-Reset": time.in_seconds(1)}
    twitch.get(USERS, json={"data": []}, headers=limits | {"Ratelimit-Remaining": "799"})
    twitch.get(USERS, json={"data": []}, headers=limits | {"Ratelimit-Remaining": "798"})
    twitch.get(USERS, json={"data": []}, headers={"Ratelimit-Limit": "5"})
    twitch.get(USERS, json={"data": []}, headers=limits | {"Ratelimit-Remaining": "-"})

    assert helix.rate_limit() is None
    for _ in range(4):
        helix.users(logins=["shroud"])

    assert helix.rate_limit() == RateLimitState(800, 798, time.now + timedelta(seconds=1))


def test_the_observer_is_called_for_every_request(
    make_helix: MakeHelix, twitch: Mock, tokens: MemoryTokens
) -> None:
    tokens.token = None
    seen: list[tuple[str, str, int]] = []
    twitch.post("https://id.twitch.test/oauth2/token", json={"access_token": "t", "expires_in": 60})
    twitch.get(USERS, body=requests.ConnectionError())
    twitch.get(USERS, status=500)
    twitch.get(USERS, json={"data": []})

    make_helix(observe=lambda *call: seen.append(call)).users(logins=["shroud"])

    assert seen == [
        ("POST", "/token", 200),
        ("GET", "/users", 0),
        ("GET", "/users", 500),
        ("GET", "/users", 200),
    ]


@pytest.mark.parametrize(
    "missing", [{"client_id": None}, {"client_secret": None}, {"client_secret": ""}]
)
def test_without_credentials_every_call_raises_before_any_request(
    make_helix: MakeHelix, twitch: Mock, missing: dict[str, Any]
) -> None:
    helix = make_helix(**missing, tokens=None)
    calls: list[Any] = [
        lambda: helix.users(logins=["shroud"]),
        lambda: helix.users(logins=["no login"]),
        lambda: helix.streams(["7"]),
        lambda: helix.streams([]),
        helix.subscriptions,
        lambda: helix.subscribe(
            DesiredSubscription(EventType.ONLINE, "7"), WebhookTransport("https://x.test", "s" * 10)
        ),
        lambda: helix.unsubscribe("1"),
    ]
    for call in calls:
        with pytest.raises(TwitchNotConfigured, match="TWITCH_CLIENT_ID"):
            call()
    assert helix.rate_limit() is None
