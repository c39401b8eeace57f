"""Access to the dashboard: logins, sessions, and protection of forms."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from streamwatch.dashboard.login_session import COOKIE, MAX_AGE_SECONDS
from streamwatch.services.subscriptions.listing import Listed, ListedConduit
from streamwatch.services.subscriptions.reconcile import Subscriptions
from streamwatch.services.subscriptions.transport import Method
from streamwatch.settings import KeyRequirement, Origin
from streamwatch.twitch.base import Shard
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
    "/dashboard/manage/streamers/shroud/tags",
    "/dashboard/manage/import",
    "/dashboard/manage/subscriptions/verify",
    "/dashboard/manage/notifications/ntf_x/edit",
    "/dashboard/logout",
)


@pytest.fixture
def world() -> World:
    """An instance that is open for reading, with two API keys."""
    return with_shroud(build_world(api_keys=KEYS))


@pytest.fixture
def closed() -> World:
    """An instance that requires a key for everything."""
    return with_shroud(build_world(api_keys=KEYS, require_api_key=KeyRequirement.ALL))


@pytest.fixture(scope="module")
def unchanged() -> World:
    """As `world`, with a login session, for forms that are refused: the tests check that they
    change nothing."""
    world = with_shroud(build_world(api_keys=KEYS))
    log_in(world)
    return world


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
def test_open_instance_shows_pages_without_a_login(world: World, path: str) -> None:
    assert world.client.get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_closed_instance_shows_pages_after_a_login(closed: World, path: str) -> None:
    assert is_sent_to_log_in(closed.client.get(path))
    log_in(closed)
    assert closed.client.get(path).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("name", ["world", "closed"])
def test_managing_always_needs_a_login(
    name: str, path: str, request: pytest.FixtureRequest
) -> None:
    world: World = request.getfixturevalue(name)
    response = world.client.get(path)
    assert is_sent_to_log_in(response)
    assert log_in(world, next=path).location == path
    assert world.client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/dashboard/login", "/dashboard/static/style.css"])
def test_login_page_and_static_files_are_open(closed: World, path: str) -> None:
    assert closed.client.get(path, buffered=True).status_code == 200


def test_icon_is_at_the_root_for_everybody(closed: World) -> None:
    response = closed.client.get("/favicon.ico")
    assert response.status_code == 200
    assert response.mimetype in {"image/vnd.microsoft.icon", "image/x-icon"}
    assert response.data == closed.client.get("/dashboard/static/favicon.ico").data


@pytest.mark.parametrize("key", ["", "wrong", "first-key2", "first-key,second-key", "schlüssel"])
def test_wrong_key_is_refused(world: World, key: str) -> None:
    response = log_in(world, key)
    assert response.status_code == 403
    assert "This key is wrong." in response.text
    assert world.client.get_cookie(COOKIE) is None
    assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        (Origin.ENVIRONMENT, "Enter one of the keys in API_KEY."),
        (Origin.STORED, "the file api-key of DATA_DIR (data/api-key by default)."),
        (Origin.GENERATED, "the key that streamwatch dev printed when it started."),
    ],
)
def test_login_page_says_where_the_key_is(tmp_path: Path, origin: Origin, place: str) -> None:
    world = build_world(api_keys=KEYS[:1], origins={"API_KEY": origin}, data_dir=tmp_path)
    for response in (world.client.get("/dashboard/login"), log_in(world, "wrong")):
        text = " ".join(re.sub("<[^>]+>", "", response.text).split())
        assert place in text
        assert str(tmp_path) not in response.text
        assert KEYS[0] not in response.text


def test_instance_without_keys_names_the_variable_to_set() -> None:
    world = build_world()
    for response in (
        world.client.get("/dashboard/manage"),
        world.client.post("/dashboard/login", data={"key": ""}),
    ):
        assert response.status_code == 403
        assert "API_KEY" in response.text


def test_session_cookie_is_http_only_and_contains_no_secret(world: World) -> None:
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


def test_session_is_valid_in_other_processes(world: World) -> None:
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
def test_session_ends_with_its_key_or_webhook_secret(
    world: World, settings: dict[str, tuple[str, ...]], lasts: bool
) -> None:
    log_in(world)
    other = build_world(**{"api_keys": KEYS} | settings)
    other.client.set_cookie(COOKIE, cookie(world.client))
    assert (other.client.get("/dashboard/manage").status_code == 200) is lasts


def test_session_expires(world: World) -> None:
    with time_machine.travel("2026-06-01T12:00Z", tick=False) as traveller:
        log_in(world)
        saved = cookie(world.client)
        traveller.shift(timedelta(seconds=MAX_AGE_SECONDS + 1))
        world.client.set_cookie(COOKIE, saved)
        assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


def test_changed_cookie_is_refused(world: World) -> None:
    log_in(world)
    value = cookie(world.client)
    for forged in ("", "x", value[:-1], value[1:], "A" + value[1:]):
        world.client.set_cookie(COOKIE, forged)
        assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/",
        "//evil.example/",
        "/dashboardevil",
        "javascript:alert(1)",
        "/dashboard/\r\nSet-Cookie: a=b",
    ],
)
def test_login_redirects_to_no_other_site(world: World, page: str) -> None:
    assert log_in(world, next=page).location == "/dashboard/"


def test_form_without_a_session_leads_back_to_its_page(world: World) -> None:
    page = "/dashboard/manage?q=a&page=2"
    response = world.client.post(FORMS[0], headers={"Referer": f"http://localhost{page}"})
    assert is_sent_to_log_in(response)
    login = world.client.get(response.location).text
    assert "You are not logged in: nothing was saved." in login
    [destination] = parse_qs(urlsplit(response.location).query)["next"]
    assert log_in(world, next=destination).location == page
    assert "nothing was saved" not in world.client.get("/dashboard/login").text


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/dashboard/manage",
        "http://localhost:8080/dashboard/manage",
        "http://localhost@evil.example/dashboard/manage",
        "http://localhost//evil.example/",
        "http://localhost/docs",
        "http://[",
        "",
    ],
)
def test_form_of_another_site_leads_to_the_start_page(world: World, referer: str) -> None:
    response = world.client.post(FORMS[0], headers={"Referer": referer})
    login = world.client.get(response.location).text
    assert '<input type="hidden" name="next" value="/dashboard/">' in login


def test_eleventh_login_within_a_minute_is_429(world: World) -> None:
    answers = [log_in(world, "wrong").status_code for _ in range(10)]
    assert answers == [403] * 10
    refused = log_in(world)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "Too Many Requests" in refused.text


def test_page_requested_with_a_line_break_leads_to_the_start_page(world: World) -> None:
    assert world.client.get("/dashboard/login?next=/dashboard/%0d%0aX:%20y").status_code == 200


# Forms


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sent", [{}, {"token": "guessed"}, {"token": ""}])
def test_form_without_the_session_token_is_refused(
    unchanged: World, form: str, sent: dict[str, str]
) -> None:
    calls = list(unchanged.twitch.calls)
    response = unchanged.client.post(form, data={"logins": "waldkauzig"} | sent)
    assert response.status_code == 403 or is_sent_to_log_in(response)
    assert unchanged.twitch.calls == calls
    assert len(unchanged.get("/streamers").get_json()["streamers"]) == 1
    assert unchanged.client.get("/dashboard/manage").status_code == 200


def test_token_of_another_session_is_refused(world: World) -> None:
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
        {"Origin": "http://["},
        {"Origin": "http://localhost:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("form", ["/dashboard/login", "/dashboard/streamers", *FORMS])
def test_form_from_another_site_is_refused(
    unchanged: World, form: str, headers: dict[str, str]
) -> None:
    sent = {"token": token(unchanged), "key": KEYS[0], "logins": "waldkauzig"}
    response = unchanged.client.post(form, data=sent, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.text
    assert len(unchanged.get("/streamers").get_json()["streamers"]) == 1


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy"}],
)
def test_form_with_its_token_is_accepted(world: World, headers: dict[str, str]) -> None:
    log_in(world)
    response = world.client.post(
        "/dashboard/manage/streamers/shroud/remove",
        data={"token": token(world)},
        headers=headers,
    )
    assert response.status_code == 303
    assert world.get("/streamers").get_json()["count"] == 0


def test_logout_ends_the_session(world: World) -> None:
    log_in(world)
    world.client.post("/dashboard/logout", data={"token": token(world)})
    assert is_sent_to_log_in(world.client.get("/dashboard/manage"))


# The API


def logged_in(world: World) -> FlaskClient:
    """The client of `world`, which has logged in."""
    log_in(world)
    return world.client


def test_subscriptions_page_shows_the_conduit_and_its_shards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    conduit = ListedConduit("conduit-1", [Shard("0", "websocket_disconnected")])
    listed = Listed([], [], None, Method.CONDUIT, conduit, 0, 10_000, updates_without_room=3)
    monkeypatch.setattr(Subscriptions, "listing", lambda _: listed)
    page = " ".join(logged_in(world).get("/dashboard/manage/subscriptions").text.split())
    assert "through conduit <code>conduit-1</code>" in page
    assert "websocket disconnected" in page
    assert "no room for updates of 3 streamers" in page
    assert "polling only" not in page


@pytest.mark.parametrize(
    "path", ["/streamers", "/events", "/feeds/live.rss", "/admin/subscriptions"]
)
def test_session_reads_the_api(closed: World, path: str) -> None:
    assert closed.client.get(path).status_code == 401
    assert logged_in(closed).get(path).status_code == 200


def test_session_reads_live_events(closed: World) -> None:
    assert closed.client.get("/events/live").status_code == 401
    response = logged_in(closed).get("/events/live", buffered=False)
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
def test_session_without_its_token_cannot_change_the_api(
    closed: World, method: str, path: str
) -> None:
    assert logged_in(closed).open(path, method=method).status_code == 401


def test_first_streamer_is_added_where_the_api_is_open(world: World, closed: World) -> None:
    for instance, location in (
        (world, "/dashboard/?added=waldkauzig"),
        (closed, "/dashboard/login?unsaved=1"),
    ):
        instance.twitch.add_user("waldkauzig")
        form = {"logins": "waldkauzig"}
        assert instance.client.post("/dashboard/streamers", data=form).location == location
    assert world.get("/streamers").get_json()["count"] == 2
    assert logged_in(closed).get("/streamers").get_json()["count"] == 1


@pytest.mark.parametrize("path", ["/dashboard/streamers", "/dashboard/setup/streamers"])
def test_forms_that_add_streamers_have_the_lookup_limit(path: str) -> None:
    world = build_world(lookup_limit=11)
    form = {"logins": " ".join(f"nobody_{number}" for number in range(999))}

    assert world.client.post(path, data=form).status_code < 400
    assert world.twitch.calls == ["users"] * 10
    assert world.client.post(path, data=form).status_code == 429
    assert world.twitch.calls == ["users"] * 10


def test_thousands_of_names_in_a_form_are_cut_to_a_thousand() -> None:
    world = build_world(lookup_limit=0)
    names = [f"nobody_{number}" for number in range(20_000)]
    names += [f"not/a?name{number}" for number in range(20_000)]

    answer = world.client.post("/dashboard/streamers", data={"logins": "\n".join(names)})

    assert "and+38%2C980+more" in answer.location
    assert world.twitch.calls == ["users"] * 10


def test_login_attempts_of_an_ipv6_network_count_together(world: World) -> None:
    def log_in_from(number: int) -> int:
        return world.client.post(
            "/dashboard/login",
            data={"key": "wrong"},
            environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"},
        ).status_code

    assert [log_in_from(number) for number in range(1, 12)] == [403] * 10 + [429]
