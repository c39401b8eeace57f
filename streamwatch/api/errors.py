"""Errors as problem documents (RFC 9457). `streamwatch.problems` says which exception becomes which
problem."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, UnprocessableEntity

from streamwatch.problems import PROBLEMS, ProblemSpec

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"

RETRY_AFTER_HEADER = {
    "Retry-After": {"description": "Seconds until the next try.", "schema": {"type": "string"}}
}
"""The documentation of the header of 429 and 503."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a request."""

    place: str
    """"path", "query" or "body"."""
    name: str
    """The name of the parameter, or of the body's field."""
    detail: str


class InvalidRequest(UnprocessableEntity):
    """422 with every fault."""

    description = "The request is not valid; `errors` says what is wrong with it."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, http_problem)
    for error, spec in PROBLEMS.items():
        app.register_error_handler(error, partial(_typed_problem, spec))


def http_problem(error: HTTPException) -> Response:
    """The problem document for an HTTPException, with its headers (Allow, Retry-After,
    WWW-Authenticate). Flask passes an unexpected exception as a 500 without its text, after it has
    logged it."""
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    extra: dict[str, Any] = {}
    if isinstance(error, InvalidRequest):
        extra["errors"] = [
            {"in": fault.place, "name": fault.name, "detail": fault.detail}
            for fault in error.faults
        ]
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return _problem(status, error.description or status.description, headers, extra)


def _typed_problem(spec: ProblemSpec, error: Exception) -> Response:
    if spec.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning(
            "Answered %s %s with %d: %s: %s",
            request.method,
            request.url_rule,
            spec.status,
            type(error).__name__,
            error,
        )
    retry_after = spec.retry_after_seconds(error)
    headers = [] if retry_after is None else [("Retry-After", str(retry_after))]
    return _problem(spec.status, spec.detail or str(error), headers)


def _problem(
    status: HTTPStatus,
    detail: str,
    headers: Iterable[tuple[str, str]],
    extra: Mapping[str, Any] | None = None,
) -> Response:
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    body = orjson.dumps(document | dict(extra or {}))
    response = Response(body, status, content_type=PROBLEM_JSON)
    response.headers.extend(headers)
    return response
