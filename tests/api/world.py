"""The application with a storage and a Twitch that tests control."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.bootstrap import assemble
from streamwatch.settings import KeyRequirement, Settings
from tests.application import application
from tests.fakes import FailingAnalytics, FailingStorage, FakeTwitch
from tests.messages import CALLBACK, SECRET, Message

PROBLEM_JSON = "application/problem+json"


_ELSEWHERE: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "203.0.113.1"}}
"""The address from which the OpenAPI document is read, so that its requests count apart."""


class Document:
    """An OpenAPI document, and the validators of its schemas."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self._paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))), operations)
            for template, operations in content["paths"].items()
        ]
        self._validators: dict[int, jsonschema_rs.Draft202012Validator] = {}

    def check(self, method: str, path: str, response: TestResponse) -> None:
        """Fails unless the response is as documented."""
        operation = self._operation(method, path)
        if operation is None:
            assert response.status_code in (401, 403, 404, 405)
            return
        answer = operation["responses"][str(response.status_code)]
        if "$ref" in answer:
            answer = self.content["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        if "content" not in answer:
            assert response.data == b""
            return
        media = answer["content"][response.content_type]
        if response.is_json:
            self._validator(media["schema"]).validate(response.get_json())

    def _validator(self, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """Of a schema within this document. It takes longer to build than a request."""
        key = id(schema)
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                schema | {"components": self.content["components"]}, validate_formats=True
            )
        return self._validators[key]

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        path = path.partition("?")[0]
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method.lower() in operations:
                operation: dict[str, Any] = operations[method.lower()]
                return operation
        return None


_documents: dict[tuple[KeyRequirement, bool], Document] = {}
"""By the settings that the document depends on, see `World.document`."""


class FakeAnalytics(FailingAnalytics):
    """Failing analytics that do not answer a ping while they are not `connected`."""

    def __init__(self) -> None:
        super().__init__(sample_cap=timedelta(minutes=10))
        self.connected = True

    def ping(self) -> None:
        if not self.connected:
            raise AnalyticsUnavailable("The analytics are away.")


@dataclass
class World:
    """The application and its client, which compares each answer with the OpenAPI document."""

    settings: Settings
    storage: FailingStorage = field(default_factory=FailingStorage)
    twitch: FakeTwitch = field(default_factory=FakeTwitch)
    analytics: FakeAnalytics = field(default_factory=FakeAnalytics)

    @cached_property
    def app(self) -> Flask:
        services = assemble(self.settings, self.storage, self.twitch, self.analytics)
        return application(services)

    @cached_property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @cached_property
    def document(self) -> Document:
        """What is served as /openapi.json. Worlds whose settings differ in nothing that it depends
        on share one document: building it and its validators takes longer than most tests."""
        key = (self.settings.require_api_key, self.settings.public_badges)
        if key not in _documents:
            response = self.app.test_client().get("/openapi.json", **_ELSEWHERE)
            _documents[key] = Document(response.get_json())
        return _documents[key]

    @property
    def openapi(self) -> dict[str, Any]:
        return self.document.content

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.call("POST", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    def send(self, message: Message) -> TestResponse:
        """What the webhook answers to a message."""
        return self.post("/webhooks/eventsub", headers=message.headers, data=message.body)

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        response = self.client.open(path, method=method, **options)
        self.document.check(method, path, response)
        return response

    def add(self, login: str, user_id: str | None = None) -> None:
        """Let Twitch have a user of this login, and monitor them."""
        self.twitch.add_user(login, user_id)
        assert self.post(f"/streamers/{login}").status_code == 201


def build_world(**settings: Any) -> World:
    defaults: dict[str, Any] = {
        "webhook_secrets": (SECRET,),
        "webhook_url": CALLBACK,
        "watch_updates": False,
    }
    return World(Settings(**defaults | settings))


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The problem document that `response` is, with this status."""
    assert (response.status_code, response.content_type) == (status, PROBLEM_JSON)
    document: dict[str, Any] = response.get_json()
    assert document["type"] == "about:blank"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document
