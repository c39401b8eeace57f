"""Authorization: which requests need a key, and what the key of a request may do.

A path that is not named here needs a key when REQUIRE_API_KEY says so.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from streamwatch.api.context import client_address, services
from streamwatch.services.api_keys import Access
from streamwatch.settings import WEBHOOK_PATH, KeyRequirement, Settings

_OPEN = (
    "/health",
    WEBHOOK_PATH,
    "/docs",
    "/openapi.json",
    "/favicon.ico",
    "/dashboard/login",
    "/dashboard/static",
)
_ADMIN = ("/admin", "/notifications", "/dashboard/manage")
_BADGES = ("/badges", "/embed/live")

_BASIC = ("/feeds",)
"""Feed readers and calendars cannot send a Bearer key, but a user name and a password: the key is
the password. On these paths alone, since a browser sends a password by itself."""

_KEY_PARAMETER_PATHS = ("/feeds", "/events/live", *_BADGES)
"""Where a read key may be sent as `?key=`, by clients that send no headers at all."""

KEY_PARAMETER = "key"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_SOURCES = "streamwatch.credential_sources"

CredentialSource = Callable[[], bool]
"""Whether the current request has other credentials that allow everything."""


def register(app: Flask) -> None:
    """Refuse requests of `app` that their keys do not allow; `register_identification` first."""
    app.before_request(_check)


def register_identification(app: Flask) -> None:
    """Find out which key a request has, for the rate limit, which counts by key, and the check."""
    app.extensions[_SOURCES] = []
    app.before_request(_identify)


def add_credential_source(app: Flask, source: CredentialSource) -> None:
    """Accept what `source` accepts as well as a key, for example a login session."""
    app.extensions[_SOURCES].append(source)


def needs_key(path: str, method: str, settings: Settings) -> bool:
    """Whether a request needs a key, or other credentials that replace one."""
    if method == "OPTIONS":
        return False
    if is_admin(path):
        return True
    requirement = settings.require_api_key
    if requirement is KeyRequirement.NONE or path == "/" or _is_under_any(path, _OPEN):
        return False
    if settings.public_badges and _is_under_any(path, _BADGES):
        return False
    return requirement is KeyRequirement.ALL or method not in SAFE_METHODS


def is_admin(path: str) -> bool:
    """Whether `path` needs a full key whatever the settings are."""
    return _is_under_any(path, _ADMIN)


def takes_password(path: str) -> bool:
    """Whether a key may be the password of HTTP basic authentication."""
    return _is_under_any(path, _BASIC)


def takes_key_parameter(path: str) -> bool:
    """Whether a read key may be sent as the query parameter `key`."""
    return _is_under_any(path, _KEY_PARAMETER_PATHS)


def valid_key() -> str | None:
    """The key of this request, if it is valid."""
    key: str | None = g.get("api_key")
    return key


def is_under(path: str, root: str) -> bool:
    """Whether `path` is `root` or below it."""
    return path == root or path.startswith(f"{root}/")


def _is_under_any(path: str, roots: tuple[str, ...]) -> bool:
    return path.startswith(roots) and any(is_under(path, root) for root in roots)


def _identify() -> None:
    """Find out what the key of this request may do. A wrong key is refused by `_check`, after the
    rate limit has counted the request."""
    g.access, g.auth_error = None, None
    if is_under(request.path, WEBHOOK_PATH):  # its messages are signed
        return
    try:
        g.access = _access()
    except Unauthorized as error:
        g.auth_error = error


def _check() -> None:
    """Refuse a request that its key does not allow."""
    path, settings, access = request.path, services().settings, g.access
    if is_under(path, WEBHOOK_PATH):
        return
    if is_admin(path) and not settings.api_keys and request.method != "OPTIONS":
        raise Forbidden("This path needs a key, and none is configured: set API_KEY.")
    if g.auth_error:
        raise g.auth_error
    is_change = request.method not in SAFE_METHODS
    if access is Access.READ and (is_change or is_admin(path)):
        raise Forbidden("A read key may not do this: use a key of API_KEY.")
    if access is None and is_change and _is_cross_origin():
        raise Forbidden("This request was sent by a page of another site.")
    if access is None and needs_key(path, request.method, settings):
        if any(source() for source in current_app.extensions[_SOURCES]):
            return
        raise _unauthorized("Send a key of API_KEY as `Authorization: Bearer KEY`.")


def _access() -> Access | None:
    """What the key of this request may do; None without a key. Raises Unauthorized for a wrong
    one, whether or not a key is needed."""
    path = request.path
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _checked(credentials.strip())
    if takes_key_parameter(path) and KEY_PARAMETER in request.args:
        access = _checked(request.args[KEY_PARAMETER])
        if access is not Access.READ:  # a full key must not end up in logs and histories
            raise _unauthorized("Only a key of API_READ_KEY may be sent as `?key=`.")
        return access
    if takes_password(path) and needs_key(path, request.method, services().settings):
        password = _password()
        return None if password is None else _checked(password)
    return None


def _checked(given: str) -> Access:
    access = services().api_keys.check(given, client_address()) if given else None
    if access is None:
        raise _unauthorized("This key is neither in API_KEY nor in API_READ_KEY.")
    g.api_key = given
    return access


def _password() -> str | None:
    """The password of basic authentication; "" where the header is malformed."""
    if not request.headers.get("Authorization"):
        return None
    try:
        authorization = request.authorization
    except ValueError:  # bytes that are not UTF-8
        return ""
    return (authorization.password if authorization else None) or ""


def _unauthorized(detail: str) -> Unauthorized:
    return Unauthorized(detail, www_authenticate=list(_challenges()))


def _challenges() -> Iterator[WWWAuthenticate]:
    yield WWWAuthenticate("bearer")
    if takes_password(request.path):
        yield WWWAuthenticate("basic", {"realm": "StreamWatch: the key as password"})


def _is_cross_origin() -> bool:
    """Whether a page of another site sent the request.

    A browser says so in Sec-Fetch-Site, which no page can set
    (https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site), or, over plain HTTP, in
    Origin. Other programs send neither.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site not in {"same-origin", "none"}
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != request.host
    except ValueError:  # no URL, for example "http://["
        return True
