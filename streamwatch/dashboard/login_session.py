"""Who has shown a key in a browser. A signed cookie says so; the key itself is kept nowhere.

The cookie's signature is the proof: it is made with the key that was shown and the webhook secret.
So it is the same in all processes, needs no setting of its own, and is worth nothing once that key
is no longer in API_KEY or that secret no longer in WEBHOOK_SECRET.
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

_SAFE_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Session:
    """`token` goes with each form that the session sends: another site's page does not know it."""

    token: str

    def covers_request(self) -> bool:
        """Whether the request is one that its sender must have wanted: it changes nothing, or
        brings the token."""
        if request.method in _SAFE_METHODS:
            return True
        given = request.form.get(TOKEN_FIELD, "")
        return hmac.compare_digest(self.token.encode(), given.encode("utf-8", "replace"))


def open_session(response: Response, api_key: str, settings: Settings) -> None:
    """Let the browser that gets `response` have a session for this key, which is one of API_KEY."""
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
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")


def current_session(settings: Settings) -> Session | None:
    """The session that the request comes with, if it is one of ours and not too old."""
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
