"""Login sessions of browsers, in a signed cookie. The API key itself is not stored.

The cookie is signed with the API key that was entered and the webhook secret. So a session is
valid in all processes, needs no setting of its own, and ends when that key is removed from API_KEY
or that secret from WEBHOOK_SECRET.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from itertools import product, starmap

from flask import request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from streamwatch.settings import Settings

COOKIE = "streamwatch_session"
MAX_AGE_SECONDS = 7 * 24 * 3600
TOKEN_FIELD = "token"  # noqa: S105  the name of a form's field

SAFE_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Session:
    """A login session. Each of its forms carries `token`, which other sites cannot know."""

    token: str

    def covers_request(self) -> bool:
        """Whether the request is safe from forgery: it changes nothing, or carries the token."""
        if request.method in SAFE_METHODS:
            return True
        given = request.form.get(TOKEN_FIELD, "")
        return hmac.compare_digest(self.token.encode(), given.encode("utf-8", "replace"))


def open_session(response: Response, api_key: str, settings: Settings) -> None:
    """Begin a session: set its cookie on `response`. `api_key` is one of API_KEY."""
    signing_key = _signing_key(api_key, settings.webhook_secrets[0])
    response.set_cookie(
        COOKIE,
        _serializer([signing_key]).dumps(secrets.token_urlsafe(24)),
        max_age=MAX_AGE_SECONDS,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def close_session(response: Response) -> None:
    """End a session: delete its cookie with `response`."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")


def current_session(settings: Settings) -> Session | None:
    """The request's session, if its signature is valid and it is not older than
    MAX_AGE_SECONDS."""
    cookie = request.cookies.get(COOKIE)
    if not cookie or not settings.api_keys:
        return None
    signing_keys = starmap(_signing_key, product(settings.api_keys, settings.webhook_secrets))
    try:
        token: str = _serializer(list(signing_keys)).loads(cookie, max_age=MAX_AGE_SECONDS)
    except BadData:
        return None
    return Session(token)


def _signing_key(api_key: str, webhook_secret: str) -> bytes:
    return hmac.digest(webhook_secret.encode(), f"session\n{api_key}".encode(), "sha256")


def _serializer(signing_keys: list[bytes]) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        signing_keys,
        salt="streamwatch.session",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
