"""Export and import over the API."""

import json
from typing import Any

import pytest

from streamwatch.domain.exports import MAX_LOOKUPS
from streamwatch.domain.notifications.models import MAX_NOTIFICATIONS
from tests.api.world import World, build_world, problem

KEY = {"Authorization": "Bearer a-full-key"}
WEBHOOK = {"kind": "webhook", "url": "https://127.0.0.1/hook?token=hidden"}


def new_world() -> World:
    return build_world(api_keys=("a-full-key",), rate_limit=0, notifications_allow_private=True)


def export(world: World, *, secrets: bool = True) -> bytes:
    query = "?secrets=true" if secrets else ""
    response = world.get(f"/admin/export{query}", headers=KEY)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    data: bytes = response.data
    return data


def load(world: World, document: bytes | Any) -> Any:
    data = document if isinstance(document, bytes) else json.dumps(document)
    headers = KEY | {"Content-Type": "application/json"}
    return world.post("/admin/import", headers=headers, data=data)


@pytest.fixture
def furnished() -> World:
    return furnished_world()


@pytest.fixture(scope="module")
def unchanged() -> World:
    """For imports that are refused: the tests check that they change nothing."""
    return furnished_world()


def furnished_world() -> World:
    """A world with streamers and notifications, one of them with a rotated secret."""
    world = new_world()
    for user_id, login in (("101", "ann"), ("102", "bob"), ("103", "carol")):
        world.add(login, user_id)
    world.call("PATCH", "/streamers/bob", json={"tags": ["friends", "fps"]})
    made = world.post("/notifications", headers=KEY, json=WEBHOOK).get_json()
    path = f"/notifications/{made['notification']['id']}"
    world.post(f"{path}/rotate-secret", headers=KEY)
    discord = {
        "kind": "discord",
        "url": "https://127.0.0.1/api/webhooks/1/abc",
        "name": "Friends",
        "streamers": ["ann"],
        "events": ["stream.online"],
        "quiet_hours": {"start": "23:00", "end": "07:00", "tz": "Europe/Berlin"},
        "template": "$streamer ♥",
        "enabled": False,
    }
    assert world.post("/notifications", headers=KEY, json=discord).status_code == 201
    return world


def test_an_export_with_secrets_comes_back_byte_for_byte(furnished: World) -> None:
    document, empty = export(furnished), new_world()
    imported = load(empty, document).get_json()
    assert sorted(imported["added"]) == ["ann", "bob", "carol"]
    assert len(imported["notifications"]) == 2
    assert export(empty) == document
    assert "users" not in empty.twitch.calls


def test_importing_again_changes_nothing(furnished: World) -> None:
    document = export(furnished)
    imported = load(furnished, document).get_json()
    assert sorted(imported.pop("existing")) == ["ann", "bob", "carol"]
    assert not any(imported.values())
    assert export(furnished) == document


def test_an_export_without_secrets_has_none_and_is_imported_switched_off(furnished: World) -> None:
    document = export(furnished, secrets=False)
    for hidden in (b"hidden", b"/abc", b"whsec_"):
        assert hidden not in document
    empty = new_world()
    assert load(empty, document).status_code == 200
    for found in empty.get("/notifications", headers=KEY).get_json()["notifications"]:
        assert (found["enabled"], found["url"]) == (False, "")
        path = f"/notifications/{found['id']}"
        switched = empty.call("PATCH", path, headers=KEY, json={"enabled": True})
        [fault] = problem(switched, 422)["errors"]
        assert fault["name"] == "url"
    complete = WEBHOOK | {"enabled": True}
    del complete["kind"]
    webhook = next(
        found
        for found in empty.get("/notifications", headers=KEY).get_json()["notifications"]
        if found["kind"] == "webhook"
    )
    path = f"/notifications/{webhook['id']}"
    assert empty.call("PATCH", path, headers=KEY, json=complete).get_json()["notification"][
        "enabled"
    ]
    assert empty.post(f"{path}/rotate-secret", headers=KEY).status_code == 200


def test_streamers_without_an_id_are_looked_up() -> None:
    world = new_world()
    world.twitch.add_user("ann")
    links = ["https://www.twitch.tv/Ann", {"username": "@nobody_here"}]
    imported = load(world, {"streamers": links}).get_json()
    assert (imported["added"], imported["not_found"]) == (["ann"], ["nobody_here"])
    assert world.twitch.calls.count("users") == 1


FAULTY: dict[str, Any] = {
    "": [],
    "streamers": {"streamers": {}},
    "more": {"more": 1},
    "version": {"version": 2},
    "streamers.1": {"streamers": ["ann", 7]},
    "streamers.1.username": {"streamers": ["ann", "not a login"]},
    "streamers.0.tag": {"streamers": [{"username": "ann", "tag": 1}]},
    "streamers.0.user_id": {"streamers": [{"username": "ann", "user_id": 1}]},
    "streamers.2.user_id": {"streamers": ["ann", "bob", {"username": "eve", "user_id": "12a"}]},
    "streamers.1.user_id": {"streamers": [{"username": "ann", "user_id": "1"}] * 2},
    "streamers.0.display_name": {
        "streamers": [{"username": "ann", "user_id": "1", "display_name": "\n"}]
    },
    "streamers.0.added_at": {
        "streamers": [{"username": "ann", "user_id": "1", "added_at": "today"}]
    },
    "streamers.0.profile_image_url": {
        "streamers": [{"username": "ann", "user_id": "1", "profile_image_url": "http://x"}]
    },
    "streamers.0.tags": {"streamers": [{"username": "ann", "user_id": "1", "tags": ["A B"]}]},
    "notifications.0": {"notifications": ["x"]},
    "notifications.0.id": {"notifications": [{}]},
}


@pytest.mark.parametrize("added_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_some_time_zones_do_not_have_is_422(unchanged: World, added_at: str) -> None:
    document = {"streamers": [{"username": "ann", "user_id": "1", "added_at": added_at}]}
    [fault] = problem(load(unchanged, document), 422)["errors"]
    assert fault["name"] == "streamers.0.added_at"


@pytest.mark.parametrize("place", FAULTY)
def test_a_faulty_document_is_422_and_changes_nothing(unchanged: World, place: str) -> None:
    before = export(unchanged)
    document = FAULTY[place]
    if isinstance(document, dict):
        document = {"streamers": [{"user_id": "99", "username": "zoe"}]} | document
    response = load(unchanged, document)
    names = [fault["name"] for fault in problem(response, 422)["errors"]]
    assert any(name.rstrip(".").startswith(place) for name in names), names
    assert export(unchanged) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "pigeon"),
        ("url", "ftp://x"),
        ("secret", "whsec_?"),
        ("previous_secret", {"secret": "whsec_?"}),
        ("streamers", ["ann"]),
        ("streamers", [{"user_id": "", "username": "ann"}]),
        ("created_at", 7),
        ("created_at", "0001-01-01T00:00:00Z"),
        ("disabled_reason", 7),
        ("cooldown_minutes", -1),
        ("enabled", "yes"),
        ("more", 1),
    ],
)
def test_a_faulty_notification_is_422(unchanged: World, field: str, value: Any) -> None:
    document = json.loads(export(unchanged))
    document["notifications"][0] |= {field: value, "id": "new"}
    before = export(unchanged)
    names = {fault["name"] for fault in problem(load(unchanged, document), 422)["errors"]}
    assert names == {f"notifications.0.{field}"}
    assert export(unchanged) == before


def test_more_notifications_than_there_may_be_change_nothing(furnished: World) -> None:
    document = json.loads(export(furnished))
    [first, _] = document["notifications"]
    document["notifications"] = [first | {"id": f"new{n}"} for n in range(MAX_NOTIFICATIONS)]
    document["streamers"] = [{"user_id": "99", "username": "zoe"}]
    before = export(furnished)
    problem(load(furnished, document), 409)
    assert export(furnished) == before


def test_more_streamers_without_an_id_than_there_may_be_change_nothing(furnished: World) -> None:
    before = export(furnished)
    calls = furnished.twitch.calls.count("users")
    names = [f"user_{n}" for n in range(MAX_LOOKUPS + 1)]
    [fault] = problem(load(furnished, {"streamers": names}), 422)["errors"]
    assert fault["name"] == "streamers"
    assert "at most 10,000" in fault["detail"]
    assert export(furnished) == before
    assert furnished.twitch.calls.count("users") == calls


def test_imports_that_look_up_streamers_are_limited_by_client() -> None:
    world = build_world(api_keys=("a-full-key",), rate_limit=0, lookup_limit=2)
    for _ in range(2):
        assert load(world, {"streamers": ["nobody_here"]}).status_code == 200
    problem(load(world, {"streamers": ["nobody_here"]}), 429)


def test_an_import_has_at_most_16_megabytes() -> None:
    world = new_world()
    name = "x" * 256
    streamers = [
        {"user_id": str(n), "username": f"user_{n}", "display_name": name} for n in range(4_000)
    ]
    document = json.dumps({"streamers": streamers}).encode()
    assert len(document) > 1024 * 1024
    assert len(load(world, document).get_json()["added"]) == 4_000
    problem(load(world, b" " * (16 * 1024 * 1024 + 1)), 413)


@pytest.mark.parametrize("field", ["kind", "events", "quiet_hours", "tags"])
@pytest.mark.parametrize("value", [[["list"]], {"start": "01:00", "end": "02:00", "tz": []}, 7])
def test_no_value_of_a_notification_is_an_error_of_the_server(
    unchanged: World, field: str, value: Any
) -> None:
    before = export(unchanged)
    document = json.loads(before)
    document["notifications"][0] |= {field: value, "id": "new"}
    problem(load(unchanged, document), 422)
    assert export(unchanged) == before
