"""Who may call which path. A path that is not named here is guarded."""

import hmac
from collections.abc import Collection, Iterator

from flask import Flask, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from streamwatch.api.context import services
from streamwatch.dashboard.login_session import current_session
from streamwatch.settings import WEBHOOK_PATH, KeyRequirement

_OPEN = ("/health", WEBHOOK_PATH, "/docs", "/openapi.json", "/dashboard/login", "/dashboard/static")
_ADMIN = ("/admin", "/dashboard/manage")

_FEEDS = "/feeds"
"""Feed readers and calendars can send no Bearer key, but a name and a password: the key is the
password, and the name whatever one likes. Nowhere else, since a browser sends those by itself."""


def register(app: Flask) -> None:
    app.before_request(_check)


def needs_key(path: str, *, required: bool) -> bool:
    """Whether `path` is answered only with a key; `required` is REQUIRE_API_KEY."""
    if is_admin(path):
        return True
    return required and path != "/" and not any(is_under(path, root) for root in _OPEN)


def is_admin(path: str) -> bool:
    """Whether `path` is the operator's, guarded whatever the settings are."""
    return any(is_under(path, root) for root in _ADMIN)


def takes_password(path: str) -> bool:
    """Whether a key opens `path` as the password of HTTP's basic authentication, too."""
    return is_under(path, _FEEDS)


def _check() -> None:
    settings = services().settings
    if not needs_key(request.path, required=settings.require_api_key is KeyRequirement.ALL):
        return
    if not settings.api_keys:
        raise Forbidden("This path needs a key, and there is none: set API_KEY.")
    if shown_key() is not None:
        return
    session = current_session(settings)
    if session is None or not session.covers_request():
        raise Unauthorized(
            "Send a key that is in API_KEY, as `Authorization: Bearer KEY`.",
            www_authenticate=list(_challenges()),
        )


def shown_key() -> str | None:
    """The key that the request shows, if it is one of API_KEY."""
    key = _given_key()
    return key if key and is_key(key, services().settings.api_keys) else None


def _given_key() -> str | None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if takes_password(request.path) and request.authorization:
        return request.authorization.password
    return None


def _challenges() -> Iterator[WWWAuthenticate]:
    yield WWWAuthenticate("bearer")
    if takes_password(request.path):
        yield WWWAuthenticate("basic", {"realm": "StreamWatch: the key as password"})


def is_key(given: str, keys: Collection[str]) -> bool:
    """Whether it is one of `keys`. Takes the same time wherever they differ."""
    encoded = given.encode("utf-8", "replace")
    results = [hmac.compare_digest(key.encode(), encoded) for key in keys]
    return any(results)


def is_under(path: str, root: str) -> bool:
    """Whether `path` is `root` or below it."""
    return path == root or path.startswith(f"{root}/")
