"""Answers requests to loopback hosts only, so that no web page reaches a local StreamWatch by DNS
rebinding."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streamwatch.settings import LOOPBACK, WEBHOOK_PATH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PROBLEM = json.dumps(
    {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "This server answers to localhost, 127.0.0.1 and [::1] only.",
    }
).encode()


class LoopbackHostsMiddleware:
    """Answers 403 where the Host header is not a loopback host.

    The webhook answers under the host of `webhook_url` too: a tunnel passes that host on, and the
    webhook checks signatures itself.
    """

    def __init__(self, app: "WSGIApplication", webhook_url: str | None) -> None:
        self._app = app
        self._webhook_host = urlsplit(webhook_url or "").hostname

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        host = _host_name(environ.get("HTTP_HOST", ""))
        path = environ.get("PATH_INFO", "")
        if host in LOOPBACK or (host == self._webhook_host and host and path == WEBHOOK_PATH):
            return self._app(environ, start_response)
        headers = [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(_PROBLEM))),
        ]
        start_response("403 Forbidden", headers)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [_PROBLEM]


def _host_name(header: str) -> str | None:
    """The Host header without its port, in lower case; None where it is malformed."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None
