"""The app access token, one for all processes.

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
from streamwatch.twitch.calls import Call, Refusals, Response, open_error, unexpected
from streamwatch.twitch.transport import Transport

_MARGIN = timedelta(minutes=10)
_MARGIN_SHARE = 10
"""A token is given up `_MARGIN` before it expires, but never earlier than in the last tenth of its
life: a short-lived one would otherwise be renewed at every call."""

_LONGEST_WAIT = 10.0
"""Seconds that a thread waits while another one asks for a token."""

_VALUE = re.compile(r"[!-~]{1,512}", re.ASCII)
"""What can go into a header."""

_REFUSALS: Refusals = dict.fromkeys(
    (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN), TwitchDenied
)


class AppTokens:
    """Threads may share it. The store's own errors pass through."""

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
        self._held: AppToken | None = None
        self._lock = Lock()

    def current(self) -> str:
        """The shared token, or a new one where there is none that is still good. One that is held
        is not looked for again: should another process have replaced it, Twitch refuses it."""
        if self._held and self._clock() < self._held.expires_at:
            return self._held.value
        return self._stored() or self._renewed(refused=None)

    def replacement(self, refused: str) -> str:
        """A token in place of one that Twitch refused: the one that another process has got since,
        or a new one."""
        return self._renewed(refused)

    def _stored(self) -> str | None:
        self._held = token = self._store.app_token()
        return token.value if token and self._clock() < token.expires_at else None

    def _renewed(self, refused: str | None) -> str:
        with self._one_at_a_time():
            stored = self._stored()  # another thread or process may have been faster
            if stored and stored != refused:
                return stored
            token = self._fetch()
            self._store.save_app_token(token)
            self._held = token
            return token.value

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_LONGEST_WAIT):
            raise TwitchBusy("Twitch has not given a token yet.", _LONGEST_WAIT)
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
            refusals=_REFUSALS,
        )
        answer = self._transport.send(call, identity={})
        if not answer.is_success:
            raise open_error(call, answer, [self._client_secret])
        token = _token(answer)
        if token is None:
            raise unexpected(call)
        return token


def _token(answer: Response) -> AppToken | None:
    document = answer.document() or {}
    value, seconds = document.get("access_token"), document.get("expires_in")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        return None
    if type(seconds) is not int or not 0 < seconds < timedelta.max.total_seconds():
        return None
    life = timedelta(seconds=seconds)
    return AppToken(value, answer.asked_at + life - min(_MARGIN, life / _MARGIN_SHARE))
