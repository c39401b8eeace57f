"""The OpenAPI 3.1 document: what all operations share. A blueprint documents only its own part."""

from http import HTTPStatus
from typing import Any

import flask_smorest
from apispec import BasePlugin
from flask import Flask
from werkzeug.routing import Rule

from streamwatch import __version__
from streamwatch.api import arguments, auth, rate_limits
from streamwatch.api.errors import PROBLEM_JSON, http_problem
from streamwatch.api.schemas import ProblemSchema

_BEARER: dict[str, list[str]] = {"bearer": []}
_PASSWORD: dict[str, list[str]] = {"password": []}

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


class Api(flask_smorest.Api):
    """flask-smorest's registry of blueprints, with problem documents for errors."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    handle_http_exception = staticmethod(http_problem)

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            problem = {
                "description": status.phrase,
                "content": {PROBLEM_JSON: {"schema": self.ERROR_SCHEMA}},
            }
            self.spec.components.response(status.name, problem, lazy=True)

    def _register_pagination_header(self) -> None:
        """The lists of this API do not use flask-smorest's pagination."""


class CommonResponsesPlugin(BasePlugin):
    """Adds what follows from an operation's path and method: its id, authorization, the common
    errors, and the headers of conditional requests."""

    def __init__(self, *, key_required: bool) -> None:
        self._key_required = key_required

    def operation_helper(  # type: ignore[override]  # every path here is that of a rule
        self, *, path: str, operations: dict[str, Any], rule: Rule, **_: Any
    ) -> None:
        guarded = auth.needs_key(path, required=self._key_required)
        ways = [_BEARER, _PASSWORD] if auth.takes_password(path) else [_BEARER]
        for method, operation in operations.items():
            operation["operationId"] = rule.endpoint.rpartition(".")[2]
            responses = operation["responses"]
            success = responses.get(200, {})  # flask-smorest has numbers here
            if method == "get" and "application/json" in success.get("content", {}):
                success.setdefault("headers", {})["ETag"] = _ETAG
                operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
                responses["304"] = {"description": "The client has the current response."}
            responses.setdefault("500", "INTERNAL_SERVER_ERROR")
            if rule.arguments:
                responses.setdefault("422", "UNPROCESSABLE_ENTITY")
            if rate_limits.is_limited(path):
                responses.setdefault("429", "TOO_MANY_REQUESTS")
            operation["security"] = ways if guarded else []
            if guarded:
                responses.setdefault("401", "UNAUTHORIZED")
            if auth.is_admin(path):
                responses.setdefault("403", "FORBIDDEN")


def create_api(app: Flask, *, key_required: bool) -> Api:
    """The registry for `app`; with `key_required` the document says so of every guarded path."""
    api = Api(
        spec_kwargs={
            "title": "StreamWatch",
            "version": __version__,
            "openapi_version": "3.1.0",
            "info": {
                "description": "Who is live on Twitch, what happened, and how their streams do."
                " Times are RFC 3339 in UTC; logins match without regard to case."
            },
            "extra_plugins": [CommonResponsesPlugin(key_required=key_required)],
        }
    )
    api.init_app(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.spec.components.security_scheme("password", {"type": "http", "scheme": "basic"})
    for converter, schema in arguments.CONVERTERS.values():
        api.register_converter(converter, lambda _, schema=schema: dict(schema))
    return api
