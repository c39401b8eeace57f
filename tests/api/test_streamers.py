import json
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from streamwatch.twitch.base import (
    TwitchBusy,
    TwitchDenied,
    TwitchError,
    TwitchNotConfigured,
    TwitchUnavailable,
)
from tests import messages
from tests.api.world import World, build_world, problem

NOT_LOGINS = ("a!b", "sp ace", "é", "a" * 26, "a.b", "%00", "{username}", "shroud%0A")


def test_adding_a_streamer_answers_201_and_the_streamer(world: World) -> None:
    world.twitch.add_user("shroud", "37402112")
    response = world.post("/streamers/shroud")
    assert response.status_code == 201
    answer = response.get_json()
    assert answer["message"] == "Added streamer: shroud"
    streamer = answer["streamer"]
    assert (streamer["user_id"], streamer["username"]) == ("37402112", "shroud")
    assert streamer["display_name"] == "Shroud"
    assert streamer["added_at"].endswith("Z")
    assert streamer["is_active"] is True
    online = world.twitch.subscribed[streamer["online_subscription_id"]]
    offline = world.twitch.subscribed[streamer["offline_subscription_id"]]
    assert (online.type, offline.type) == ("stream.online", "stream.offline")
    assert world.get("/streamers").get_json() == {"streamers": [streamer], "count": 1, "next": None}


def test_a_login_is_matched_without_regard_to_case(world: World) -> None:
    world.twitch.add_user("shroud")
    assert world.post("/streamers/SHROUD").get_json()["message"] == "Added streamer: shroud"
    assert world.get("/streamers/Shroud/status").get_json()["username"] == "shroud"
    assert world.delete("/streamers/sHROUD").status_code == 200


def test_adding_a_streamer_twice_answers_200_and_changes_nothing(world: World) -> None:
    world.add("shroud")
    before = world.get("/streamers").get_json()
    response = world.post("/streamers/shroud")
    assert response.status_code == 200
    assert response.get_json()["streamer"] == before["streamers"][0]
    assert world.get("/streamers").get_json() == before
    assert len(world.twitch.subscribed) == 2


def test_a_live_streamer_is_live_as_soon_as_added(world: World) -> None:
    world.twitch.go_live(world.twitch.add_user("shroud"))
    world.post("/streamers/shroud")
    assert world.get("/streams/live").get_json()["count"] == 1


def test_a_streamer_lacks_subscriptions_while_twitch_refuses_them(world: World) -> None:
    world.twitch.add_user("shroud")
    world.twitch.errors["subscribe"] = TwitchUnavailable("Twitch did not answer.")
    response = world.post("/streamers/shroud")
    assert response.status_code == 201
    streamer = response.get_json()["streamer"]
    assert streamer["is_active"] is False
    assert streamer["online_subscription_id"] is None


def test_the_streamers_come_newest_first(world: World) -> None:
    for login in ("first", "second", "third"):
        world.add(login)
    listed = world.get("/streamers").get_json()
    assert [streamer["username"] for streamer in listed["streamers"]] == [
        "third",
        "second",
        "first",
    ]
    assert listed["count"] == 3


def test_the_list_of_streamers_is_empty_at_first(world: World) -> None:
    assert world.get("/streamers").get_json() == {"streamers": [], "count": 0, "next": None}


def test_removing_takes_subscriptions_and_status_and_leaves_the_history(world: World) -> None:
    user = world.twitch.add_user("shroud", "37402112")
    world.post("/streamers/shroud")
    world.send(messages.online(user))
    response = world.delete("/streamers/shroud")
    assert response.status_code == 200
    assert response.get_json() == {"message": "Removed streamer: shroud"}
    assert world.twitch.subscribed == {}
    assert world.get("/streamers").get_json()["count"] == 0
    assert world.get("/streams/live").get_json()["count"] == 0
    assert world.get("/events/streamer/shroud").get_json()["count"] == 1


def test_removing_an_unmonitored_streamer_is_404(world: World) -> None:
    assert "shroud" in problem(world.delete("/streamers/shroud"), 404)["detail"]


def test_an_unknown_twitch_user_is_404(world: World) -> None:
    assert "nobody" in problem(world.post("/streamers/nobody"), 404)["detail"]
    assert "nobody" in problem(world.get("/streamers/nobody/status"), 404)["detail"]
    assert world.get("/streamers").get_json()["count"] == 0


CALLS: list[Callable[[World, str], TestResponse]] = [
    lambda world, login: world.post(f"/streamers/{login}"),
    lambda world, login: world.delete(f"/streamers/{login}"),
    lambda world, login: world.get(f"/streamers/{login}/status"),
    lambda world, login: world.get(f"/events/streamer/{login}"),
]


@pytest.mark.parametrize("login", NOT_LOGINS)
@pytest.mark.parametrize("call", CALLS, ids=["add", "remove", "status", "events"])
def test_an_invalid_login_is_422(
    world: World, call: Callable[[World, str], TestResponse], login: str
) -> None:
    [fault] = problem(call(world, login), 422)["errors"]
    assert (fault["in"], fault["name"]) == ("path", "username")
    assert world.twitch.calls == []


def test_a_login_of_the_maximal_length_is_valid(world: World) -> None:
    login = "a" * 24 + "_"
    world.add(login)
    assert world.get(f"/streamers/{login}/status").status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (TwitchNotConfigured("no credentials"), 503, "60"),
        (TwitchBusy("rate limit", 12.3), 503, "13"),
        (TwitchBusy("rate limit", 0), 503, "1"),
        (TwitchUnavailable("Twitch did not answer."), 502, None),
        (TwitchDenied("Twitch refused the credentials.", 401), 502, None),
    ],
)
@pytest.mark.parametrize(("method", "suffix"), [("POST", ""), ("GET", "/status")])
def test_when_twitch_fails_the_answer_says_so(
    world: World, method: str, suffix: str, error: TwitchError, status: int, retry_after: str | None
) -> None:
    world.twitch.error = error
    response = world.call(method, f"/streamers/shroud{suffix}")
    problem(response, status)
    assert response.headers.get("Retry-After") == retry_after


def test_without_credentials_the_answer_names_what_to_set(world: World) -> None:
    world.twitch.error = TwitchNotConfigured("no credentials")
    detail = problem(world.post("/streamers/shroud"), 503)["detail"]
    assert "TWITCH_CLIENT_ID" in detail
    assert "TWITCH_CLIENT_SECRET" in detail


# Many at once


def test_a_bulk_add_with_refused_credentials_says_so(world: World) -> None:
    world.twitch.error = TwitchDenied("Twitch refused the credentials.", 403)
    response = world.post("/streamers", json={"usernames": ["one", "two"]})
    assert problem(response, 502)["detail"] == "Twitch refused the credentials."


def test_a_bulk_add_reports_the_result_for_each_login(world: World) -> None:
    for login in ("one", "two", "three"):
        world.twitch.add_user(login)
    world.post("/streamers/one")
    response = world.post(
        "/streamers", json={"usernames": ["ONE", "Two", "nobody", "two", "three"]}
    )
    assert response.status_code == 200
    assert response.get_json() == {
        "added": ["two", "three"],
        "existing": ["one"],
        "not_found": ["nobody"],
        "failed": [],
    }
    assert world.get("/streamers").get_json()["count"] == 3


def test_a_thousand_take_ten_calls_to_twitch(world: World) -> None:
    logins = [f"streamer_{number}" for number in range(1000)]
    for login in logins:
        world.twitch.add_user(login)
    response = world.post("/streamers", json={"usernames": logins})
    assert response.get_json()["added"] == logins
    assert world.twitch.calls == ["users"] * 10


def test_logins_that_twitch_did_not_answer_for_are_reported(world: World) -> None:
    world.twitch.error = TwitchUnavailable("Twitch did not answer.")
    answer = world.post("/streamers", json={"usernames": ["one"]}).get_json()
    assert answer == {"added": [], "existing": [], "not_found": [], "failed": ["one"]}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"usernames": []}, ["usernames"]),
        ({"usernames": [f"streamer_{number}" for number in range(1001)]}, ["usernames"]),
        ({"usernames": ["a!b"] * 1001}, ["usernames"]),
        ({"usernames": ["a!b"] * 1000}, [f"usernames.{number}" for number in range(100)]),
        ({"usernames": ["fine"], "x" * 1000: 1}, ["x" * 64]),
        ({"usernames": ["fine", "a!b", "fine_too", ""]}, ["usernames.1", "usernames.3"]),
        ({"usernames": ["fine", 5, None]}, ["usernames.1", "usernames.2"]),
        ({"usernames": "shroud"}, ["usernames"]),
        ({"usernames": None}, ["usernames"]),
        ({}, ["usernames"]),
        ({"usernames": ["fine"], "user_names": []}, ["user_names"]),
        (["fine"], [""]),
        (None, [""]),
    ],
)
def test_a_body_that_is_not_valid_is_422_with_its_first_100_faults(
    world: World, body: object, names: list[str]
) -> None:
    response = world.post(
        "/streamers", data=json.dumps(body), content_type="application/json; charset=utf-8"
    )
    faults = problem(response, 422)["errors"]
    assert [(fault["in"], fault["name"]) for fault in faults] == [("body", name) for name in names]
    assert world.twitch.calls == []


@pytest.mark.parametrize(
    "body", [b"{", b"", b'{"usernames": ["\\ud800"]}', b"[" * 100_000, b"\xff\xfe", b"NaN"]
)
def test_a_body_that_is_not_json_is_400(world: World, body: bytes) -> None:
    problem(world.post("/streamers", data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_of_another_type_is_415(world: World, content_type: str | None) -> None:
    body = b'{"usernames": ["shroud"]}'
    problem(world.post("/streamers", data=body, content_type=content_type), 415)


def test_a_body_of_more_than_a_mebibyte_is_413(world: World) -> None:
    body = b'{"usernames": ["%s"]}' % (b"a" * 1024 * 1024)
    problem(world.post("/streamers", data=body, content_type="application/json"), 413)


# Status


def test_a_status_of_a_monitored_streamer_is_from_the_storage(world: World) -> None:
    user = world.twitch.add_user("shroud")
    stream = world.twitch.go_live(user, viewer_count=1234, tags=("FPS", "English"))
    world.post("/streamers/shroud")
    world.twitch.calls.clear()
    status = world.get("/streamers/shroud/status").get_json()
    assert world.twitch.calls == []
    assert status["source"] == "storage"
    assert status["is_live"] is True
    assert status["last_event_type"] == "stream.online"
    assert status["last_updated"].endswith("Z")
    data = status["stream_data"]
    assert (data["id"], data["viewer_count"]) == (stream.id, 1234)
    assert data["tags"] == ["FPS", "English"]
    assert data["started_at"].endswith("Z")


def test_a_status_while_offline_has_no_stream(world: World) -> None:
    world.add("shroud")
    status = world.get("/streamers/shroud/status").get_json()
    assert (status["is_live"], status["stream_data"]) == (False, None)


def test_an_unmonitored_streamer_is_looked_up_once(world: World) -> None:
    world.twitch.go_live(world.twitch.add_user("shroud"))
    first = world.get("/streamers/shroud/status").get_json()
    assert (first["source"], first["is_live"]) == ("twitch_api", True)
    assert world.get("/streamers/SHROUD/status").get_json() == first
    assert world.twitch.calls == ["users", "streams"]
    assert world.get("/streamers").get_json()["count"] == 0


def test_a_missing_user_is_cached(world: World) -> None:
    for _ in range(3):
        problem(world.get("/streamers/nobody/status"), 404)
    assert world.twitch.calls == ["users"]


def test_without_a_webhook_url_a_streamer_is_polled_only() -> None:
    world = build_world(webhook_url=None)
    world.add("shroud")
    assert world.get("/streamers").get_json()["streamers"][0]["is_active"] is False
    assert world.twitch.subscribed == {}


def test_links_and_at_signs_are_taken_for_logins(world: World) -> None:
    world.twitch.add_user("shroud")
    usernames = ["https://www.twitch.tv/Shroud", "twitch.tv/shroud", "@shroud"]
    answer = world.post("/streamers", json={"usernames": usernames}).get_json()
    assert answer["added"] == ["shroud"]
