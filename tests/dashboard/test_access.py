"""Who may see and do what on the dashboard."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from streamwatch.dashboard.login_session import COOKIE, MAX_AGE_SECONDS
from streamwatch.settings import KeyRequirement
from tests.api.world import World, build_world
from tests.messages import SECRET

KEYS = ("first-key", "second-key")
PAGES = (
    "/dashboard/",
    "/dashboard/top",
    "/dashboard/compare",
    "/dashboard/streamer/shroud",
)
GUARDED = ("/dashboard/manage", "/dashboard/manage/subscriptions", "/dashboard/manage/diagnostics")
FORMS = (
    "/dashboard/manage/streamers",
    "/dashboard/manage/streamers/shroud/remove",
    "/dashboard/manage/subscriptions/verify",
    "/dashboard/logout",
)


@pytest.fixture
def world() -> World:
    """Everybody may look; the operator has two keys."""
    return with_shroud(build_world(api_keys=KEYS))


@pytest.fixture
def closed() -> World:
    """Nobody may look without a key."""
    return with_shroud(build_world(api_keys=KEYS, require_api_key=KeyRequirement.ALL))


def with_shroud(world: World) -> World:
    world.twitch.add_user("shroud")
    bearer = {"Authorization": f"Bearer {KEYS[0]}"}
    assert world.post("/streamers/shroud", headers=bearer).status_code == 201
    return world


def log_in(world: World, key: str = KEYS[0], **form: str) -> TestResponse:
    return world.client.post("/dashboard/login", data={"key": key, **form})


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie(COOKIE)
    assert found
    return found.value


def token(world: World) -> str:
    match = re.search(r'name="token" value="([^"]+)"', world.client.get("/dashboard/manage").text)
    assert match
    return match[1]


def is_sent_to_log_in(response: TestResponse) -> bool:
    return response.status_code == 303 and response.location.startswith("/dashboard/login")


@pytest.mark.parametrize("path", PAGES)
def test_anybody_may_look_where_no_key_is_required(world: World, path: str) -> None:
    assert world.client.get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_where_a_key_is_required_one_logs_in_to_look(closed: World, path: str) -> None:
    assert is_sent_to_log_in(closed.client.get(path))
    log_in(closed)
    assert closed.client.get(path).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("name", ["world", "closed"])
def test_one_always_logs_in_to_manage(name: str, path: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(name)
    response = world.client.get(path)
    assert is_sent_to_log_in(response)
    assert log_in(world, next=path).location == path
    assert world.client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/dashboard/login", "/dashboard/static/style.css"])
def test_the_login_itself_is_open(closed: World, path: str) -> None:
    assert closed.client.get(path, buffered=True).status_code == 200


@pytest.mark.parametrize("key", ["", "wrong", "first-key2", "first-key,second-key", "schlüssel"])
def test_a_wrong_key_opens_nothing(world: World, key: str) -> None:
    response = log_in(world, key)
    assert response.status_code == 403
    assert "none of the keys" in response.text
    assert world.client.get_cookie(COOKIE) is None
    assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


def test_without_any_key_the_page_says_what_to_set() -> None:
    world = build_world()
    for response in (
        world.client.get("/dashboard/manage"),
        world.client.post("/dashboard/login", data={"key": ""}),
    ):
        assert response.status_code == 403
        assert "API_KEY" in response.text


def test_the_cookie_is_out_of_reach_and_does_not_hold_the_key(world: World) -> None:
    header = log_in(world).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Secure" not in header
    secure = world.client.post(
        "/dashboard/login", data={"key": KEYS[0]}, base_url="https://localhost"
    )
    assert "Secure" in secure.headers["Set-Cookie"]
    for text in (*KEYS, SECRET):
        assert text not in header


def test_a_session_is_known_to_every_process_and_after_a_restart(world: World) -> None:
    log_in(world)
    other = build_world(api_keys=KEYS)
    other.client.set_cookie(COOKIE, cookie(world.client))
    assert other.client.get("/dashboard/manage").status_code == 200


@pytest.mark.parametrize(
    ("settings", "lasts"),
    [
        ({"api_keys": ("new-key", KEYS[0])}, True),
        ({"api_keys": (KEYS[1],)}, False),
        ({"webhook_secrets": ("a-new-webhook-secret", SECRET)}, True),
        ({"webhook_secrets": ("a-new-webhook-secret",)}, False),
    ],
)
def test_a_session_lasts_as_long_as_its_key_and_the_webhook_secret(
    world: World, settings: dict[str, tuple[str, ...]], lasts: bool
) -> None:
    log_in(world)
    other = build_world(**{"api_keys": KEYS} | settings)
    other.client.set_cookie(COOKIE, cookie(world.client))
    assert (other.client.get("/dashboard/manage").status_code == 200) is lasts


def test_a_session_ends_by_itself(world: World) -> None:
    with time_machine.travel("2026-06-01T12:00Z", tick=False) as traveller:
        log_in(world)
        kept = cookie(world.client)
        traveller.shift(timedelta(seconds=MAX_AGE_SECONDS + 1))
        world.client.set_cookie(COOKIE, kept)
        assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


def test_a_cookie_that_was_changed_is_worth_nothing(world: World) -> None:
    log_in(world)
    value = cookie(world.client)
    for forged in ("", "x", value[:-1], value[1:], "A" + value[1:]):
        world.client.set_cookie(COOKIE, forged)
        assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example/", "/dashboardevil", "javascript:alert(1)"]
)
def test_the_login_leads_to_no_other_site(world: World, page: str) -> None:
    assert log_in(world, next=page).location == "/dashboard/"


# Forms


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sent", [{}, {"token": "guessed"}, {"token": ""}])
def test_a_form_without_the_sessions_token_does_nothing(
    world: World, form: str, sent: dict[str, str]
) -> None:
    log_in(world)
    calls = list(world.twitch.calls)
    response = world.client.post(form, data={"logins": "waldkauzig"} | sent)
    assert response.status_code == 403 or is_sent_to_log_in(response)
    assert world.twitch.calls == calls
    assert len(world.get("/streamers").get_json()["streamers"]) == 1
    assert world.client.get("/dashboard/manage").status_code == 200


def test_another_sessions_token_is_worth_nothing(world: World) -> None:
    log_in(world)
    foreign = token(world)
    log_in(world)
    response = world.client.post(
        "/dashboard/manage/streamers/shroud/remove", data={"token": foreign}
    )
    assert is_sent_to_log_in(response)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("form", ["/dashboard/login", "/dashboard/streamers", *FORMS])
def test_a_form_on_another_site_does_nothing(
    world: World, form: str, headers: dict[str, str]
) -> None:
    log_in(world)
    sent = {"token": token(world), "key": KEYS[0], "logins": "waldkauzig"}
    response = world.client.post(form, data=sent, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.text
    assert len(world.get("/streamers").get_json()["streamers"]) == 1


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy"}],
)
def test_a_form_of_ours_with_its_token_does_what_it_says(
    world: World, headers: dict[str, str]
) -> None:
    log_in(world)
    response = world.client.post(
        "/dashboard/manage/streamers/shroud/remove",
        data={"token": token(world)},
        headers=headers,
    )
    assert response.status_code == 303
    assert world.get("/streamers").get_json()["count"] == 0


def test_logging_out_ends_the_session(world: World) -> None:
    log_in(world)
    world.client.post("/dashboard/logout", data={"token": token(world)})
    assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


# The API


@contextmanager
def logged_in(world: World) -> Iterator[FlaskClient]:
    log_in(world)
    yield world.client


@pytest.mark.parametrize(
    "path", ["/streamers", "/events", "/feeds/live.rss", "/admin/subscriptions"]
)
def test_a_session_may_read_the_api(closed: World, path: str) -> None:
    assert closed.client.get(path).status_code == 401
    with logged_in(closed) as client:
        assert client.get(path).status_code == 200


def test_a_session_may_follow_the_events(closed: World) -> None:
    assert closed.client.get("/events/live").status_code == 401
    with logged_in(closed) as client:
        response = client.get("/events/live", buffered=False)
        assert response.status_code == 200
        response.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/streamers/waldkauzig"),
        ("DELETE", "/streamers/shroud"),
        ("POST", "/admin/verify-subscriptions"),
        ("POST", "/admin/delete-all-subscriptions"),
    ],
)
def test_a_session_without_its_token_changes_nothing_by_the_api(
    closed: World, method: str, path: str
) -> None:
    with logged_in(closed) as client:
        assert client.open(path, method=method).status_code == 401


def test_the_first_streamer_is_added_by_whom_the_api_lets(world: World, closed: World) -> None:
    for one, status in ((world, 200), (closed, 303)):
        one.twitch.add_user("waldkauzig")
        assert (
            one.client.post("/dashboard/streamers", data={"logins": "waldkauzig"}).status_code
            == status
        )
    assert world.get("/streamers").get_json()["count"] == 2
    with logged_in(closed) as client:
        assert client.get("/streamers").get_json()["count"] == 1
