import base64

import pytest

from streamwatch.settings import KeyRequirement
from streamwatch.storage.base import StorageUnavailable
from tests import messages
from tests.api.world import World, build_world, problem

KEYS = ("first-key", "second=key/+")
OPEN = ("/", "/health", "/health/live", "/docs", "/docs/init.js", "/openapi.json")
GUARDED = (
    "/streamers",
    "/streamers/shroud/status",
    "/streams/live",
    "/events",
    "/metrics",
    "/nowhere",
    "/healthy",
    "/documents",
    "/streamers/not-a-login/status",
)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def guarded() -> World:
    return build_world(require_api_key=KeyRequirement.ALL, api_keys=KEYS)


@pytest.mark.parametrize("path", OPEN)
def test_some_paths_need_no_key(guarded: World, path: str) -> None:
    assert guarded.client.get(path, buffered=True).status_code == 200


def test_the_webhook_needs_no_key(guarded: World) -> None:
    assert guarded.send(messages.online()).status_code == 204


@pytest.mark.parametrize("path", GUARDED)
def test_every_other_path_needs_a_key_whether_it_exists_or_not(guarded: World, path: str) -> None:
    response = guarded.get(path)
    problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH"])
def test_every_method_but_options_needs_a_key(guarded: World, method: str) -> None:
    response = guarded.call(method, "/streamers/shroud")
    assert response.status_code == 401
    assert guarded.client.options("/streamers/shroud").status_code == 200


@pytest.mark.parametrize("key", KEYS)
def test_each_of_the_keys_opens(guarded: World, key: str) -> None:
    assert guarded.get("/streamers", headers=bearer(key)).status_code == 200
    assert guarded.get("/streamers", headers={"Authorization": f"bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer first-key2",
        "Bearer first-ke",
        "Bearer FIRST-KEY",
        "Bearer first-key,second=key/+",
        "first-key",
        "Basic Zmlyc3Qta2V5Og==",
        "Basic first-key",
        "Bearer schlüssel",
        "Bearer \xff\xfe",
        'Bearer realm="x", key="first-key"',
    ],
)
def test_a_wrong_key_is_401(guarded: World, authorization: str) -> None:
    response = guarded.get("/streamers", headers={"Authorization": authorization})
    problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "first-key" not in response.text


def basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'me:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("key", KEYS)
def test_a_feed_reader_sends_the_key_as_a_password(guarded: World, key: str) -> None:
    response = guarded.get("/feeds/live.rss")
    problem(response, 401)
    scheme, _, realm = response.headers.getlist("WWW-Authenticate")[1].partition(" ")
    assert (scheme, realm) == ("Basic", 'realm="StreamWatch: the key as password"')
    assert guarded.get("/feeds/live.rss", headers=basic(key)).status_code == 200
    assert guarded.get("/feeds/live.rss", headers=bearer(key)).status_code == 200
    problem(guarded.get("/feeds/live.rss", headers=basic("not-a-key")), 401)
    problem(guarded.get("/feeds/live.rss", headers={"Authorization": "Basic rubbish"}), 401)


@pytest.mark.parametrize("path", ["/streamers", "/admin/subscriptions", "/feedsy"])
def test_basic_auth_is_rejected_outside_feeds(guarded: World, path: str) -> None:
    """A browser adds Basic credentials by itself, also to requests that another site causes."""
    response = guarded.get(path, headers=basic(KEYS[0]))
    problem(response, 401)
    assert response.headers.getlist("WWW-Authenticate") == ["Bearer"]


def test_a_key_in_the_address_opens_nothing(guarded: World) -> None:
    problem(guarded.get("/streamers?key=first-key&access_token=first-key"), 401)


def test_with_a_key_an_unknown_path_is_404(guarded: World) -> None:
    problem(guarded.get("/nowhere", headers=bearer("first-key")), 404)


def test_no_storage_is_asked_before_the_key_is_good(guarded: World) -> None:
    guarded.storage.error = StorageUnavailable("down")
    problem(guarded.get("/streamers"), 401)


def test_without_required_keys_the_api_is_open(world: World) -> None:
    assert world.get("/streamers").status_code == 200


@pytest.mark.parametrize("path", ["/admin/subscriptions", "/admin", "/admin/nowhere"])
def test_without_keys_the_admin_paths_say_what_to_set(world: World, path: str) -> None:
    assert "API_KEY" in problem(world.get(path, headers=bearer("anything")), 403)["detail"]


def test_admin_paths_need_a_key_always() -> None:
    world = build_world(require_api_key=KeyRequirement.NONE, api_keys=KEYS)
    response = world.get("/admin/nowhere")
    problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    problem(world.get("/admin/nowhere", headers=bearer("second=key/+")), 404)
    assert world.get("/streamers").status_code == 200


# Read keys, and the key as a query parameter

READ_KEY = "read-key-1"


@pytest.fixture
def open_world() -> World:
    return build_world(api_keys=KEYS, api_read_keys=(READ_KEY,))


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("requirement", KeyRequirement)
def test_a_read_key_changes_nothing(requirement: KeyRequirement, method: str) -> None:
    world = build_world(require_api_key=requirement, api_keys=KEYS, api_read_keys=(READ_KEY,))
    response = world.client.open("/streamers/shroud", method=method, headers=bearer(READ_KEY))
    assert "read key" in problem(response, 403)["detail"]


@pytest.mark.parametrize("path", ["/admin/subscriptions", "/notifications", "/notifications/1"])
def test_a_read_key_cannot_read_admin_paths_or_notifications(open_world: World, path: str) -> None:
    problem(open_world.client.get(path, headers=bearer(READ_KEY)), 403)


@pytest.mark.parametrize("path", ["/", "/streamers", "/health", "/openapi.json", "/feeds/live.rss"])
def test_a_wrong_key_is_401_also_where_none_is_needed(open_world: World, path: str) -> None:
    problem(open_world.client.get(path, headers=bearer("wrong-key")), 401)


def test_with_write_protection_reading_is_open_and_changing_is_not() -> None:
    world = build_world(require_api_key=KeyRequirement.WRITE, api_keys=KEYS)
    assert world.get("/streamers").status_code == 200
    problem(world.post("/streamers/shroud"), 401)
    world.twitch.add_user("shroud")
    assert world.post("/streamers/shroud", headers=bearer(KEYS[0])).status_code == 201


@pytest.mark.parametrize("path", ["/feeds/live.rss", "/events/live"])
def test_a_read_key_may_be_a_query_parameter_where_no_headers_can_be_sent(path: str) -> None:
    world = build_world(
        require_api_key=KeyRequirement.ALL, api_keys=KEYS, api_read_keys=(READ_KEY,)
    )
    with world.client.get(f"{path}?key={READ_KEY}", buffered=False) as response:
        assert response.status_code == 200
    for key in ("wrong-key", KEYS[0]):
        problem(world.client.get(path, query_string={"key": key}), 401)
    problem(world.client.get("/streamers", query_string={"key": READ_KEY}), 401)


def test_a_query_parameter_is_no_key_elsewhere(open_world: World) -> None:
    problem(open_world.client.get(f"/streamers?key={READ_KEY}"), 422)


def test_a_key_in_a_query_is_not_in_the_answer(open_world: World) -> None:
    response = open_world.client.get(f"/feeds/live.rss?key={READ_KEY}")
    assert READ_KEY not in response.text + str(response.headers)


# Other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_a_page_of_another_site_changes_nothing(world: World, headers: dict[str, str]) -> None:
    world.twitch.add_user("shroud")
    problem(world.post("/streamers/shroud", headers=headers), 403)
    assert world.get("/streamers", headers=headers).get_json()["count"] == 0


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}],
)
def test_same_origin_and_non_browser_requests_are_accepted(
    world: World, headers: dict[str, str]
) -> None:
    world.twitch.add_user("shroud")
    assert world.post("/streamers/shroud", headers=headers).status_code == 201


def test_with_a_key_the_origin_does_not_matter(open_world: World) -> None:
    open_world.twitch.add_user("shroud")
    headers = bearer(KEYS[0]) | {"Origin": "https://elsewhere.example"}
    assert open_world.post("/streamers/shroud", headers=headers).status_code == 201


# Guessing


def test_after_ten_wrong_keys_in_a_minute_no_key_of_that_client_is_checked(
    open_world: World,
) -> None:
    for number in range(10):
        problem(open_world.get("/streamers", headers=bearer(f"guess-{number}")), 401)
    blocked = open_world.get("/streamers", headers=bearer("guess-11"))
    assert "10 wrong keys a minute" in problem(blocked, 429)["detail"]
    assert 0 < int(blocked.headers["Retry-After"]) <= 60
    problem(open_world.get("/streamers", headers=bearer(KEYS[0])), 429)
    assert open_world.get("/streamers").status_code == 200
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    response = open_world.get("/streamers", headers=bearer(KEYS[0]), environ_base=elsewhere)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/feeds/live.rss", "/streamers"])
def test_a_password_that_is_not_utf_8_is_401(guarded: World, path: str) -> None:
    for authorization in ("Basic \xff", "Basic /w==", "Basic"):
        problem(guarded.get(path, headers={"Authorization": authorization}), 401)


def test_the_document_shows_what_needs_a_key() -> None:
    document = build_world(require_api_key=KeyRequirement.WRITE, api_keys=KEYS).openapi
    assert document["paths"]["/streamers"]["get"]["security"] == []
    assert document["paths"]["/streamers"]["post"]["security"] == [{"bearer": []}]
