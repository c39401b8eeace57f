"""What goes with every request and answer: an id, and the headers that keep browsers careful."""

import re
from uuid import uuid4

from flask import Flask, Response, g, request

from streamwatch.logs import log_context

REQUEST_ID = "X-Request-ID"

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'"
)
"""The Content-Security-Policy of every answer, unless its view says more."""

_DEFAULTS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""A view that needs another value sets it; files that may be cached come with their own."""


def register(app: Flask) -> None:
    app.before_request(_take_request_id)
    app.after_request(_finish)
    app.teardown_request(_forget_request_id)


def _take_request_id() -> None:
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if _HARMLESS.fullmatch(given) else uuid4().hex
    log_context.set({"request_id": g.request_id})


def _finish(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.request_id
    for name, value in _DEFAULTS.items():
        response.headers.setdefault(name, value)
    return response


def _forget_request_id(_error: BaseException | None) -> None:
    log_context.set(None)  # threads are pooled: the next thing this one logs is no request's
