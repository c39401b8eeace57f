"""The app access token, shared by all processes.

https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/#client-credentials-grant-flow
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock

from streamwatch.domain.models import AppToken
from streamwatch.twitch.base import TokenStore, TwitchBusy, TwitchDenied
from streamwatch.twitch.calls import Call, ErrorsByStatus, Response, error_from, malformed_response
from streamwatch.twitch.transport import Transport

_MARGIN = timedelta(minutes=10)
_MARGIN_SHARE = 10
"""A token is renewed `_MARGIN` before it expires, but at the earliest in the last tenth of its
lifetime: a short-lived token would otherwise be renewed at every call."""

_LONGEST_WAIT = 10.0
"""Seconds that a thread waits while another requests a token."""

_VALUE = re.compile(r"[!-~]{1,512}", re.ASCII)
"""What a header value may contain."""

_ERRORS: ErrorsByStatus = dict.fromkeys(
    (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN), TwitchDenied
)


class AppTokens:
    """Provides the token. Threads may share it. Errors of the store are passed on."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        store: TokenStore,
        transport: Transport,
        clock: Callable[[], datetime],
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._store = store
        self._transport = transport
        self._clock = clock
        self._cached: AppToken | None = None
        self._lock = Lock()

    def current(self) -> str:
        """A valid token: the cached one, else the stored one, else a new one. The store is not read
        while the cached token is valid; if another process has replaced it, Twitch rejects it."""
        cached = self._cached  # read once: another thread may replace it
        if cached and self._clock() < cached.expires_at:
            return cached.value
        return self._stored() or self._renewed(refused=None)

    def replacement(self, refused: str) -> str:
        """A token to replace one that Twitch rejected: one that another process has stored since,
        or a new one."""
        return self._renewed(refused)

    def _stored(self) -> str | None:
        self._cached = token = self._store.app_token()
        return token.value if token and self._clock() < token.expires_at else None

    def _renewed(self, refused: str | None) -> str:
        with self._locked():
            stored = self._stored()  # another thread or process may have been faster
            if stored and stored != refused:
                return stored
            token = self._fetch()
            self._store.save_app_token(token)
            self._cached = token
            return token.value

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_LONGEST_WAIT):
            raise TwitchBusy("Twitch has not issued a token yet.", _LONGEST_WAIT)
        try:
            yield
        finally:
            self._lock.release()

    def _fetch(self) -> AppToken:
        call = Call(
            "POST",
            "/token",
            form={
                "client_id": self._client_id,
                "client_secret": self._client_secret,
                "grant_type": "client_credentials",
            },
            errors=_ERRORS,
        )
        response = self._transport.send(call, identity={})
        if not response.is_success:
            raise error_from(call, response, [self._client_secret])
        token = _parse_token(response)
        if token is None:
            raise malformed_response(call)
        return token


def _parse_token(response: Response) -> AppToken | None:
    document = response.document() or {}
    value, seconds = document.get("access_token"), document.get("expires_in")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        return None
    if type(seconds) is not int or not 0 < seconds < timedelta.max.total_seconds():
        return None
    life = timedelta(seconds=seconds)
    return AppToken(value, response.asked_at + life - min(_MARGIN, life / _MARGIN_SHARE))
