"""The OpenAPI document is complete and true."""

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema

from streamwatch.api import event_stream, webhooks
from streamwatch.app import RESOURCES
from streamwatch.services import rate_limits
from streamwatch.settings import KeyRequirement
from tests import messages
from tests.api import examples
from tests.api.world import World, build_world

METHODS = {"get", "post", "put", "patch", "delete"}


def lively_world() -> World:
    """A world with something of everything to answer with."""
    world = build_world(
        require_api_key=KeyRequirement.ALL,
        api_keys=("a-key",),
        rate_limit=0,
        lookup_limit=0,
        twitch_client_id="id",
        twitch_client_secret="secret",
    )
    for login in ("shroud", "live", "away"):
        world.twitch.add_user(login)
    world.twitch.go_live(world.twitch.known["id-of-live"])
    for login in ("live", "away"):
        world.post(f"/streamers/{login}", headers={"Authorization": "Bearer a-key"})
    world.send(messages.online())
    return world


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def test_every_path_that_is_served_is_documented(world: World) -> None:
    served = {
        (re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in world.app.url_map.iter_rules()
        if not rule.endpoint.startswith(("docs.", "dashboard."))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(world.openapi)}


def test_every_operation_is_described(world: World) -> None:
    ids = set()
    tags = {tag["name"] for tag in world.openapi["tags"]}
    for path, _, operation in operations(world.openapi):
        ids.add(operation["operationId"])
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags
        assert any(status.startswith("2") for status in operation["responses"])
    assert len(ids) == len(list(operations(world.openapi)))


def test_every_error_that_is_documented_is_a_problem(world: World) -> None:
    for response in world.openapi["components"]["responses"].values():
        schema = response["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}


def test_every_field_of_an_answer_is_documented_and_always_there(world: World) -> None:
    schemas = world.openapi["components"]["schemas"]
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in operations(world.openapi)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]
    }
    for name in schemas.keys() - {"Problem"} - bodies:
        assert schemas[name]["additionalProperties"] is False
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name


def test_every_json_answer_and_body_has_an_example(world: World) -> None:
    for path, method, operation in operations(world.openapi):
        answers = [
            response["content"]["application/json"]
            for status, response in operation["responses"].items()
            if status.startswith("2") and "application/json" in response.get("content", {})
        ]
        if answers:
            assert any("example" in answer for answer in answers), (method, path)
            body = operation.get("requestBody", {"content": {}})["content"]
            assert all("example" in content for content in body.values()), (method, path)


def shape(value: Any) -> Any:
    """The structure of a document: its fields and the types of their values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value)


def test_the_examples_are_what_the_api_answers() -> None:
    recorded = orjson.loads(examples.FILE.read_bytes())
    assert shape(recorded) == shape(examples.make()), "run python -m tests.api.examples"


def names(parameters: list[dict[str, Any]]) -> set[str]:
    return {parameter["name"] for parameter in parameters}


def test_every_parameter_and_header_is_documented(world: World) -> None:
    paths, components = world.openapi["paths"], world.openapi["components"]
    assert world.openapi["servers"] == [{"url": "/"}]
    live = paths["/events/live"]["get"]
    expected = {"after", "streamer", "type", "tag", "Last-Event-ID"}
    assert names(live["parameters"]) == expected
    events = paths["/events"]["get"]
    assert names(events["parameters"]) == {"limit", "after", "tag", "If-None-Match"}
    assert events["responses"]["200"]["headers"].keys() == {"ETag", "Link"}
    [tz] = [
        parameter
        for parameter in paths["/analytics/streamer/{login}/trend"]["get"]["parameters"]
        if parameter["name"] == "tz"
    ]
    assert "enum" not in tz["schema"]
    [after] = [parameter for parameter in live["parameters"] if parameter["name"] == "after"]
    assert after["schema"]["pattern"] == "^[!-~]{1,64}$"
    assert paths["/webhooks/eventsub"]["post"]["operationId"] == "receive"
    for name, header in (
        ("UNAUTHORIZED", "WWW-Authenticate"),
        ("TOO_MANY_REQUESTS", "Retry-After"),
        ("SERVICE_UNAVAILABLE", "Retry-After"),
    ):
        assert header in components["responses"][name]["headers"]
    assert "Retry-After" in paths["/health"]["get"]["responses"]["503"]["headers"]


def test_the_bounds_of_a_limit_are_documented(world: World) -> None:
    parameters = world.openapi["paths"]["/events"]["get"]["parameters"]
    [limit] = [parameter for parameter in parameters if parameter["name"] == "limit"]
    assert limit["schema"] == {"type": "integer", "default": 50, "minimum": 1, "maximum": 1000}


@pytest.mark.parametrize("required", [False, True])
def test_operations_that_need_a_key_are_documented(required: bool) -> None:
    policy = KeyRequirement.ALL if required else KeyRequirement.NONE
    openapi = build_world(require_api_key=policy, api_keys=("a-key",)).openapi
    assert openapi["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, _, operation in operations(openapi):
        is_open = path in {"/", "/health", "/health/live", "/webhooks/eventsub"}
        is_guarded = path.startswith(("/admin/", "/notifications")) or (required and not is_open)
        ways: list[dict[str, list[str]]] = [{"bearer": []}]
        if path.startswith("/feeds/"):
            ways += [{"password": []}, {"read_key": []}]
        if path.startswith(("/events/live", "/badges/", "/embed/")):
            ways.append({"read_key": []})
        assert operation["security"] == (ways if is_guarded else [])
        # A wrong key is refused everywhere, but by the webhook, whose messages are signed.
        assert ("401" in operation["responses"]) is (path != "/webhooks/eventsub")


def test_the_document_depends_on_two_settings_alone() -> None:
    """`World.document` is shared by all worlds that agree on them."""
    plain, other = (
        build_world(),
        build_world(
            api_keys=("a-key",),
            api_read_keys=("a-read-key",),
            rate_limit=7,
            trusted_proxies=1,
            webhook_url=None,
            storage_type="redis",
            cors_origins=("*",),
            embed_origins=("https://example.com",),
        ),
    )
    documents = [world.client.get("/openapi.json").get_json() for world in (plain, other)]
    assert documents[0] == documents[1] == plain.openapi == other.openapi


AUTHORIZATION = {"Authorization": "Bearer a-key"}


_CONFIG: dict[str, Any] = {
    "headers": AUTHORIZATION,
    "operations": [
        {
            # Rules that a schema cannot express: a string is a time zone or a cursor, a URL's
            # host exists.
            "include-name": operation,
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", 304, 404, 422, 429, 503]}
            },
        }
        for operation in (
            "GET /analytics/streamer/{login}/schedule",
            "GET /analytics/streamer/{login}/trend",
            "POST /notifications",
            "PATCH /notifications/{notification_id}",
            "GET /events",
            "GET /events/type/{event_type}",
            "GET /events/streamer/{username}",
            "GET /streamers",
            "GET /analytics/snapshots",
            "GET /analytics/streamer/{login}/sessions",
            "POST /admin/import",
            "POST /streamers",
        )
    ],
}

ENDLESS = event_stream.blueprint.name
"""The tag of /events/live, whose answer has no end: see test_event_stream.py."""

TAGS = [module.blueprint.name for module in (*RESOURCES, webhooks) if module is not event_stream]


def documented_operations(
    tag: str, monkeypatch: pytest.MonkeyPatch, *, coverage: bool
) -> BaseSchema:
    """The operations with this tag, and an application that serves them. With `coverage`, each
    keyword of each schema is also tried at its limits: hundreds of requests an operation."""
    # schemathesis sends wrong keys to every operation.
    monkeypatch.setattr(rate_limits, "WRONG_KEYS", 0)
    others = {"exclude-tag": tag, "enabled": False}
    config = {
        **_CONFIG,
        "operations": [others, *_CONFIG["operations"]],
        "phases": {"coverage": {"enabled": coverage}},
    }
    return schemathesis.openapi.from_wsgi(
        "/openapi.json", lively_world().app, config=SchemathesisConfig.from_dict(config)
    )


def call_and_validate(case: Case[Any]) -> None:
    """Send the request of `case`, with a key, and check the response against the document."""
    # Without a server in between, schemathesis does not decompress responses.
    case.call_and_validate(headers={**AUTHORIZATION, "Accept-Encoding": "identity"})


@pytest.fixture(params=TAGS)
def documented(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BaseSchema:
    return documented_operations(request.param, monkeypatch, coverage=False)


@pytest.mark.timeout(300)  # for all operations with the tag
@schemathesis.pytest.from_fixture("documented").parametrize()
@settings(max_examples=10, deadline=None)
def test_every_answer_is_as_documented(case: Case[Any]) -> None:
    call_and_validate(case)


def test_every_operation_has_one_known_tag(world: World) -> None:
    tags = [tuple(operation["tags"]) for _, _, operation in operations(world.openapi)]
    assert set(tags) == {(tag,) for tag in (*TAGS, ENDLESS)}
    assert tags.count((ENDLESS,)) == 1
