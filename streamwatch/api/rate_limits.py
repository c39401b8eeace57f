"""Rate limits: the client of a request, and whether it may make one more."""

import hashlib
from contextlib import AbstractContextManager

from flask import Flask, request

from streamwatch.api import auth
from streamwatch.api.context import client_address, services
from streamwatch.settings import WEBHOOK_PATH

_UNLIMITED = ("/health", "/metrics", WEBHOOK_PATH)
"""Called by Twitch, by health checks and by Prometheus, as often as they need."""


def register(app: Flask) -> None:
    app.before_request(_check)


def is_limited(path: str) -> bool:
    """Whether requests for `path` are limited."""
    return not any(auth.is_under(path, root) for root in _UNLIMITED)


def lookup(logins: int = 1) -> AbstractContextManager[None]:
    """The context in which `logins` logins are looked up at Twitch for this request's client."""
    return services().rate_limits.lookup(client_id(), logins)


def client_id() -> str:
    """The client of this request: a valid key by its hash, else an address."""
    key = auth.valid_key()
    if key is not None:
        return f"key:{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return client_address()


def _check() -> None:
    if services().settings.rate_limit and is_limited(request.path):
        services().rate_limits.request(client_id())
