"""The counting of requests, around everything that answers."""

from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, Request

from streamwatch.api.prometheus import requests as request_metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROUTE = "streamwatch.route"
"""In the environment of a request that is answered without Flask: its rule."""

_REQUEST = "werkzeug.request"
"""In the environment of one that Flask has got."""


def register(app: Flask) -> None:
    """Count the requests of `app`, and of whatever stands before it by now."""
    app.wsgi_app = MetricsMiddleware(app.wsgi_app)  # type: ignore[method-assign]  # Flask's way


class MetricsMiddleware:
    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        began = perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            seconds = perf_counter() - began
            request_metrics.count_request(
                environ["REQUEST_METHOD"], _route(environ), int(status[:3]), seconds
            )
            return start_response(status, headers, *error)

        return self._app(environ, start)


def _route(environ: "WSGIEnvironment") -> str | None:
    """The rule that matched; None where none did."""
    if ROUTE in environ:
        return str(environ[ROUTE])
    request = environ.get(_REQUEST)
    rule = request.url_rule if isinstance(request, Request) else None
    return rule.rule if rule else None
