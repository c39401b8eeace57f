"""WSGI middleware around the Flask application: request metrics, request ids, security headers."""

import re
from collections.abc import Iterable
from random import getrandbits
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Request

from streamwatch.api.content_security_policy import content_security_policy
from streamwatch.api.prometheus import requests as request_metrics
from streamwatch.logs import log_context

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "X-Request-ID"

_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

_DEFAULT_HEADERS = {
    name.lower(): (name, value)
    for name, value in {
        "Content-Security-Policy": content_security_policy(),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }.items()
}
"""Added to a response that does not have the header. A view that needs another value sets it; one
that needs none sets ""."""

_FLASK_REQUEST = "werkzeug.request"
"""The key under which Flask stores its request object in the WSGI environment."""


def register(app: Flask) -> None:
    """Wrap `app`. The outermost middleware sets the request id, so that all log lines have it."""
    app.wsgi_app = SecurityHeadersMiddleware(MetricsMiddleware(app.wsgi_app))  # type: ignore[method-assign]  # Flask's way


class MetricsMiddleware:
    """Counts each response and the time until it started, by method, route and status."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        started_at = perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            seconds = perf_counter() - started_at
            request_metrics.count_request(
                environ["REQUEST_METHOD"], _route(environ), int(status[:3]), seconds
            )
            return start_response(status, headers, *error)

        return self._app(environ, start)


def _route(environ: "WSGIEnvironment") -> str | None:
    """The URL rule that matched, or None."""
    request = environ.get(_FLASK_REQUEST)
    rule = request.url_rule if isinstance(request, Request) else None
    return rule.rule if rule else None


class SecurityHeadersMiddleware:
    """Adds the default security headers and `X-Request-ID` to every response.

    The request id is the client's own where that is harmless, else a random one. Log lines written
    while the request is answered carry it. As WSGI middleware this costs a third of what Flask's
    `after_request` hooks cost.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _VALID_REQUEST_ID.fullmatch(given) else f"{getrandbits(128):032x}"
        log_context.set({"request_id": request_id})

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            present = {name.lower() for name, _ in headers}
            headers[:] = [header for header in headers if header[1]]
            headers += [header for name, header in _DEFAULT_HEADERS.items() if name not in present]
            headers.append((REQUEST_ID, request_id))
            return start_response(status, headers, *error)

        try:
            return self._app(environ, start)
        finally:
            # Threads are pooled: the next line that this thread logs belongs to no request.
            log_context.set(None)
