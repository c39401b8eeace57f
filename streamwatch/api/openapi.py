"""The OpenAPI 3.1 document: what all operations share. A blueprint documents only its own part."""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import flask_smorest
import orjson
from apispec import BasePlugin
from flask import Flask
from werkzeug.routing import Rule

from streamwatch import __version__
from streamwatch.api import arguments, auth, webhooks
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.errors import PROBLEM_JSON, RETRY_AFTER_HEADER, http_problem
from streamwatch.api.schemas import ProblemSchema
from streamwatch.settings import WEBHOOK_PATH, KeyRequirement, Settings

_BEARER: dict[str, list[str]] = {"bearer": []}
_PASSWORD: dict[str, list[str]] = {"password": []}
_KEY_PARAMETER: dict[str, list[str]] = {"read_key": []}

_ETAG = {
    "description": "Identifies the response; weak where it is compressed.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier response: answered with 304 if nothing has changed.",
    "schema": {"type": "string"},
}
_WITHOUT_ETAG = ("text/event-stream", "text/plain")
"""The media types of responses to GET that have no ETag."""

_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The `id` of the last event that was received. An id that is not known is"
    " answered by a `gap`.",
    "schema": {"type": "string"},
}

_ERROR_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {
        "WWW-Authenticate": {
            "description": "The schemes by which a key may be sent.",
            "schema": {"type": "string"},
        }
    },
    HTTPStatus.METHOD_NOT_ALLOWED: {
        "Allow": {"description": "The methods of this path.", "schema": {"type": "string"}}
    },
    HTTPStatus.TOO_MANY_REQUESTS: RETRY_AFTER_HEADER,
    HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER_HEADER,
}
"""The headers of problems."""


class Api(flask_smorest.Api):
    """flask-smorest's registry of blueprints, with problem documents for errors."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    handle_http_exception = staticmethod(http_problem)

    # Private in flask-smorest, which has no setting for it; the tests of the document notice a
    # change.
    def _register_responses(self) -> None:
        for status in HTTPStatus:
            problem: dict[str, Any] = {
                "description": status.phrase,
                "content": {PROBLEM_JSON: {"schema": self.ERROR_SCHEMA}},
            }
            if status in _ERROR_HEADERS:
                problem["headers"] = _ERROR_HEADERS[status]
            self.spec.components.response(status.name, problem, lazy=True)

    # Private too. Without this, the document would have a header that no answer has.
    def _register_pagination_header(self) -> None:
        """The lists of this API do not use flask-smorest's pagination."""


class CommonResponsesPlugin(BasePlugin):
    """Adds what follows from an operation's path and method: its id, authorization, the common
    errors, and the headers of conditional requests."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def operation_helper(  # type: ignore[override]  # every path here is that of a rule
        self, *, path: str, operations: dict[str, Any], rule: Rule, **_: Any
    ) -> None:
        for method, operation in operations.items():
            operation["operationId"] = rule.endpoint.rpartition(".")[2]
            responses = operation["responses"]
            _add_example(f"{method.upper()} {path}", operation)
            success = responses.get(200, {})  # flask-smorest has numbers here
            if method == "get" and any(
                not kind.startswith(_WITHOUT_ETAG) for kind in success["content"]
            ):
                success.setdefault("headers", {})["ETag"] = _ETAG
                operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
                responses["304"] = {"description": "The client has the current response."}
            if "text/event-stream" in success.get("content", {}):
                operation["parameters"].append(_LAST_EVENT_ID)
            responses.setdefault("500", "INTERNAL_SERVER_ERROR")
            if path != WEBHOOK_PATH:
                self._add_authorization(path, method.upper(), operation)
                responses.setdefault("422", "UNPROCESSABLE_ENTITY")
            else:
                operation["security"] = []

    def _add_authorization(self, path: str, method: str, operation: dict[str, Any]) -> None:
        responses = operation["responses"]
        schemes = [_BEARER]
        if auth.takes_password(path):
            schemes.append(_PASSWORD)
        if auth.takes_key_parameter(path):
            schemes.append(_KEY_PARAMETER)
        operation["security"] = schemes if auth.needs_key(path, method, self._settings) else []
        responses.setdefault("401", "UNAUTHORIZED")  # for a wrong key, also where none is needed
        responses.setdefault("429", "TOO_MANY_REQUESTS")
        if auth.is_admin(path) or method not in auth.SAFE_METHODS:
            responses.setdefault("403", "FORBIDDEN")


def _add_example(name: str, operation: dict[str, Any]) -> None:
    """Add a real request and a real response to the operation `name`."""
    example = _examples().get(name)
    if example is None:
        return
    content = operation["responses"][example["status"]]["content"]
    content["application/json"]["example"] = example["response"]
    if "request" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["request"]


@cache
def _examples() -> dict[str, Any]:
    """Requests and responses by method and path, which tests/api/examples.py has recorded."""
    examples: dict[str, Any] = orjson.loads(
        (files("streamwatch.api") / "examples.json").read_bytes()
    )
    return examples


def build_document(settings: Settings, blueprints: Iterable[Blueprint]) -> dict[str, Any]:
    """The OpenAPI document of `blueprints` and the webhook. Which operations need a key follows
    from `settings`."""
    app = Flask(__name__, static_folder=None)  # serves nothing: flask-smorest reads its URL map
    arguments.register(app)
    api = _create_api(app, settings)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.register_blueprint(webhooks.blueprint)
    webhooks.document(api.spec, app)
    document: dict[str, Any] = api.spec.to_dict()
    return document


def _create_api(app: Flask, settings: Settings) -> Api:
    """The registry of blueprints for `app`; the document shows which operations need a key."""
    api = Api(
        spec_kwargs={
            "title": "StreamWatch",
            "version": __version__,
            "openapi_version": "3.1.0",
            "servers": [{"url": "/"}],
            "info": {
                "license": {"name": "MIT", "identifier": "MIT"},
                "contact": {
                    "name": "StreamWatch",
                    "url": "https://github.com/streamwatch/streamwatch",
                },
                "description": "Which Twitch streamers are live, what happened, and statistics of"
                " their streams. Times are RFC 3339 in UTC; logins match without regard to case.",
            },
            "extra_plugins": [CommonResponsesPlugin(settings)],
        }
    )
    api.init_app(app)
    add_scheme = api.spec.components.security_scheme
    add_scheme("bearer", {"type": "http", "scheme": "bearer"})
    if settings.require_api_key is KeyRequirement.ALL:  # only then is reading restricted
        add_scheme("password", {"type": "http", "scheme": "basic"})
        add_scheme("read_key", {"type": "apiKey", "in": "query", "name": auth.KEY_PARAMETER})
    for converter, schema in arguments.CONVERTERS.values():
        api.register_converter(converter, lambda _, schema=schema: dict(schema))
    return api
