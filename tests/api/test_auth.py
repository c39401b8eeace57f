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


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "OPTIONS"])
def test_every_method_needs_a_key(guarded: World, method: str) -> None:
    problem(guarded.call(method, "/streamers/shroud"), 401)


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
def test_elsewhere_a_password_opens_nothing(guarded: World, path: str) -> None:
    """A browser sends one by itself, also where another site leads it."""
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
