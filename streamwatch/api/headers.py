"""What goes with every request and answer: an id, and the headers that keep browsers careful."""

import re
from collections.abc import Iterable
from random import getrandbits
from typing import TYPE_CHECKING, Any

from flask import Flask

from streamwatch.logs import log_context

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "X-Request-ID"

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'"
)
"""The Content-Security-Policy of every answer, unless its view says more."""

_DEFAULTS = {
    name.lower(): (name, value)
    for name, value in {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }.items()
}
"""A view that needs another value sets it; files that may be cached come with their own."""


def register(app: Flask) -> None:
    app.wsgi_app = SecurityHeadersMiddleware(app.wsgi_app)  # type: ignore[method-assign]  # Flask's way


class SecurityHeadersMiddleware:
    """Around the application, where headers are a plain list: Flask's own hooks cost three times as
    much, at every answer."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _HARMLESS.fullmatch(given) else f"{getrandbits(128):032x}"
        log_context.set({"request_id": request_id})

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            names = {name.lower() for name, _ in headers}
            headers += [header for name, header in _DEFAULTS.items() if name not in names]
            headers.append((REQUEST_ID, request_id))
            return start_response(status, headers, *error)

        try:
            return self._app(environ, start)
        finally:
            log_context.set(None)  # threads are pooled: what this one logs next is no request's
