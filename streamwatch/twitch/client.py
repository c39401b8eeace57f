"""Helix over HTTP: https://dev.twitch.tv/docs/api/reference/"""

import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Self, TypeVar

from streamwatch.domain.batches import batched
from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.models import Subscription, User
from streamwatch.domain.observations import SeenLive
from streamwatch.settings import Settings
from streamwatch.twitch import parsing
from streamwatch.twitch.base import (
    RateLimitState,
    Subscribe,
    SubscriptionListing,
    TokenStore,
    Twitch,
    TwitchNotConfigured,
    TwitchRefused,
)
from streamwatch.twitch.calls import Call, Response, open_error, unexpected
from streamwatch.twitch.subscribing import SUBSCRIPTIONS, subscribe_call
from streamwatch.twitch.token import AppTokens
from streamwatch.twitch.transport import Observe, RateLimits, Transport

T = TypeVar("T")

_USERS_A_CALL = 100


def _now() -> datetime:
    return datetime.now(UTC)


def _unobserved(_method: str, _path: str, _status: int) -> None:
    """Nobody counts the calls."""


class Helix(Twitch):
    """Threads may share it, and it may be made before a fork (see `Transport`). Errors of the token
    store pass through."""

    def __init__(
        self,
        client_id: str | None,
        client_secret: str | None,
        tokens: TokenStore,
        *,
        api_url: str,
        auth_url: str,
        limits: RateLimits | None = None,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        observe: Observe = _unobserved,
    ) -> None:
        """`jitter` gives a number from 0 to 1; `observe` is told of every request."""
        transport = partial(
            Transport,
            limits=limits or RateLimits(),
            clock=clock,
            sleep=sleep,
            jitter=jitter,
            observe=observe,
        )
        self._transport = transport(api_url)
        self._client_id = client_id or ""
        self._client_secret = client_secret or ""
        self._tokens: AppTokens | None = None
        if client_id and client_secret:
            self._tokens = AppTokens(client_id, client_secret, tokens, transport(auth_url), clock)

    @classmethod
    def from_settings(
        cls, settings: Settings, tokens: TokenStore, observe: Observe = _unobserved
    ) -> Self:
        """Never in more than half of the web threads at once: a Twitch that hangs leaves the others
        to the webhooks."""
        limits = RateLimits()
        return cls(
            settings.twitch_client_id,
            settings.twitch_client_secret,
            tokens,
            api_url=settings.twitch_api_url,
            auth_url=settings.twitch_auth_url,
            limits=replace(
                limits, in_flight=min(limits.in_flight, max(1, settings.web_threads // 2))
            ),
            observe=observe,
        )

    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> list[User]:
        valid = dict.fromkeys(login.lower() for login in logins if LOGIN.fullmatch(login))
        asked = [("login", login) for login in valid]
        asked += [("id", user_id) for user_id in dict.fromkeys(user_ids)]
        found = self._read_in_hundreds("/users", asked, (), parsing.users)
        return list({user.user_id: user for user in found}.values())

    def streams(self, user_ids: Collection[str]) -> list[SeenLive]:
        asked = dict.fromkeys(user_ids)
        pairs = [("user_id", user_id) for user_id in asked]
        seen: dict[str, SeenLive] = {}
        # `first` is 20 by default: with as many as are asked for, one page holds all of them.
        first = [("first", str(_USERS_A_CALL))]
        for one in self._read_in_hundreds("/streams", pairs, first, parsing.seen_live):
            other = seen.get(one.user_id)
            is_newer = other is None or one.stream.started_at > other.stream.started_at
            if one.user_id in asked and is_newer:
                seen[one.user_id] = one
        return list(seen.values())

    def subscriptions(self) -> SubscriptionListing:
        found: dict[str, Subscription] = {}  # one may show twice while others are deleted
        cursors: set[str] = set()
        params: list[tuple[str, str]] = []
        while True:
            call = Call("GET", SUBSCRIPTIONS, params)
            page = self._read(call, parsing.subscription_page)
            found.update((each.id, each) for each in page.subscriptions)
            if page.cursor is None:
                return SubscriptionListing(
                    tuple(found.values()), page.total_cost, page.max_total_cost
                )
            if page.cursor in cursors:
                raise unexpected(call)  # its pages go in circles
            cursors.add(page.cursor)
            params = [("after", page.cursor)]

    def subscribe(self, wanted: Subscribe) -> Subscription:
        """As the port says. It is sent again after a lost answer like any other call: where the
        first one did its work, Twitch answers 409 to the second, and SubscriptionExists tells the
        caller to adopt what is there."""
        return self._read(subscribe_call(wanted), parsing.subscription, wanted.secret)

    def unsubscribe(self, subscription_id: str) -> None:
        try:
            self._ask(Call("DELETE", SUBSCRIPTIONS, [("id", subscription_id)]))
        except TwitchRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    def budget(self) -> RateLimitState | None:
        return self._transport.budget

    def _read_in_hundreds(
        self,
        path: str,
        asked: Iterable[tuple[str, str]],
        extra: Iterable[tuple[str, str]],
        read: Callable[[Response], list[T]],
    ) -> list[T]:
        self._app_tokens()  # raises also where nothing is left to ask
        found: list[T] = []
        for batch in batched(asked, _USERS_A_CALL):
            found += self._read(Call("GET", path, [*batch, *extra]), read)
        return found

    def _read(self, call: Call, read: Callable[[Response], T], *secrets: str) -> T:
        answer = self._ask(call, *secrets)
        try:
            return read(answer)
        except ValueError:
            raise unexpected(call) from None

    def _ask(self, call: Call, *secrets: str) -> Response:
        """The answer to `call`, if it is a success. A refused token is replaced once."""
        tokens = self._app_tokens()
        token = tokens.current()
        answer = self._transport.send(call, self._identity(token))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            token = tokens.replacement(token)
            answer = self._transport.send(call, self._identity(token))
        if not answer.is_success:
            raise open_error(call, answer, [self._client_secret, token, *secrets])
        return answer

    def _app_tokens(self) -> AppTokens:
        if self._tokens is None:
            raise TwitchNotConfigured("TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET are not set.")
        return self._tokens

    def _identity(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}", "Client-Id": self._client_id}
