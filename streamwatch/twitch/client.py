"""Helix over HTTP: https://dev.twitch.tv/docs/api/reference/"""

import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Self, TypeVar

from streamwatch.domain import subscriptions as eventsub
from streamwatch.domain.batches import batched
from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.models import Subscription, User
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.times import utc_now
from streamwatch.settings import Settings
from streamwatch.twitch import parsing
from streamwatch.twitch.base import (
    MAX_IDS_PER_CALL,
    Conduit,
    RateLimitState,
    Shard,
    SubscriptionListing,
    TokenStore,
    Twitch,
    TwitchNotConfigured,
    TwitchRefused,
    TwitchUnavailable,
)
from streamwatch.twitch.calls import Call, Response, error_from, unexpected
from streamwatch.twitch.eventsub_calls import (
    SUBSCRIPTIONS,
    attach_shard_call,
    create_conduit_call,
    delete_conduit_call,
    list_conduits_call,
    list_shards_call,
    subscribe_call,
)
from streamwatch.twitch.token import AppTokens
from streamwatch.twitch.transport import Observe, ObserveDate, RateLimits, Transport

T = TypeVar("T")

MAX_PAGES = 200
"""The most pages that are read of one listing; more are an error of Twitch's."""


def _unobserved(_method: str, _path: str, _status: int) -> None:
    """Default observer: does nothing."""


def _date_unobserved(_date: datetime, _seconds: float) -> None:
    """Default observer of dates: does nothing."""


class Helix(Twitch):
    """The Twitch port over HTTP. Threads may share it, and it may be created before a fork (see
    `Transport`). Errors of the token store are passed on."""

    def __init__(
        self,
        client_id: str | None,
        client_secret: str | None,
        tokens: TokenStore,
        *,
        api_url: str,
        auth_url: str,
        limits: RateLimits | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        observe: Observe = _unobserved,
        observe_date: ObserveDate = _date_unobserved,
    ) -> None:
        """`jitter` returns a number from 0 to 1. `observe` is called after every request,
        `observe_date` with the date of every response."""
        transport = partial(
            Transport,
            limits=limits or RateLimits(),
            clock=clock,
            sleep=sleep,
            jitter=jitter,
            observe=observe,
            observe_date=observe_date,
        )
        self._transport = transport(api_url)
        self._client_id = client_id or ""
        self._client_secret = client_secret or ""
        self._tokens: AppTokens | None = None
        if client_id and client_secret:
            self._tokens = AppTokens(client_id, client_secret, tokens, transport(auth_url), clock)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        tokens: TokenStore,
        observe: Observe = _unobserved,
        clock: Callable[[], datetime] = utc_now,
        observe_date: ObserveDate = _date_unobserved,
    ) -> Self:
        """At most half of the web threads call Twitch at once: when Twitch hangs, the other half
        still serves the webhook."""
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
            clock=clock,
            observe=observe,
            observe_date=observe_date,
        )

    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> list[User]:
        valid = dict.fromkeys(login.lower() for login in logins if LOGIN.fullmatch(login))
        asked = [("login", login) for login in valid]
        asked += [("id", user_id) for user_id in dict.fromkeys(user_ids)]
        found = self._read_in_batches("/users", asked, (), parsing.users)
        requested = set(asked)
        return list(
            {
                user.user_id: user
                for user in found
                if requested & {("login", user.login), ("id", user.user_id)}
            }.values()
        )

    def streams(self, user_ids: Collection[str]) -> list[SeenLive]:
        asked = dict.fromkeys(user_ids)
        pairs = [("user_id", user_id) for user_id in asked]
        seen: dict[str, SeenLive] = {}
        # `first` is 20 by default: with the maximum, one page holds all streams of the batch.
        first = [("first", str(MAX_IDS_PER_CALL))]
        for live in self._read_in_batches("/streams", pairs, first, parsing.seen_live):
            other = seen.get(live.user_id)
            is_newer = other is None or live.stream.started_at > other.stream.started_at
            if live.user_id in asked and is_newer:
                seen[live.user_id] = live
        return list(seen.values())

    def subscriptions(self) -> SubscriptionListing:
        found: dict[str, Subscription] = {}  # pages overlap if subscriptions are deleted meanwhile
        cursors: set[str] = set()
        params: list[tuple[str, str]] = []
        for _ in range(MAX_PAGES):
            call = Call("GET", SUBSCRIPTIONS, params)
            page = self._read(call, parsing.subscription_page)
            found.update((each.id, each) for each in page.subscriptions)
            if page.cursor is None:
                return SubscriptionListing(
                    tuple(found.values()), page.total_cost, page.max_total_cost
                )
            if page.cursor in cursors:
                raise unexpected(call)  # the pages repeat
            cursors.add(page.cursor)
            params = [("after", page.cursor)]
        raise TwitchUnavailable(f"Twitch listed subscriptions on more than {MAX_PAGES} pages.")

    def subscribe(
        self, wanted: eventsub.DesiredSubscription, transport: eventsub.Transport
    ) -> Subscription:
        """See the port. Like any other call it is sent again after a lost response. If the first
        request succeeded, Twitch answers 409 to the second, and SubscriptionExists lets the caller
        adopt the subscription."""
        secrets = [transport.secret] if isinstance(transport, eventsub.WebhookTransport) else []
        return self._read(subscribe_call(wanted, transport), parsing.subscription, *secrets)

    def unsubscribe(self, subscription_id: str) -> None:
        try:
            self._send(Call("DELETE", SUBSCRIPTIONS, [("id", subscription_id)]))
        except TwitchRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    def conduits(self) -> list[Conduit]:
        return self._read(list_conduits_call(), parsing.conduits)

    def create_conduit(self, shard_count: int) -> Conduit:
        return self._read(create_conduit_call(shard_count), parsing.created_conduit)

    def delete_conduit(self, conduit_id: str) -> None:
        self._send(delete_conduit_call(conduit_id))

    def shards(self, conduit_id: str) -> list[Shard]:
        found: list[Shard] = []
        cursor = None
        for _ in range(MAX_PAGES):
            page = self._read(list_shards_call(conduit_id, cursor), parsing.shard_page)
            found += page.shards
            cursor = page.cursor
            if cursor is None:
                return found
        raise TwitchUnavailable(f"Twitch listed shards on more than {MAX_PAGES} pages.")

    def attach_shard(self, conduit_id: str, shard_id: str, session_id: str) -> None:
        call = attach_shard_call(conduit_id, shard_id, session_id)
        errors = self._read(call, parsing.shard_errors)
        if errors:
            raise TwitchRefused(
                f"Twitch did not attach the WebSocket to the conduit: {', '.join(errors)}",
                HTTPStatus.ACCEPTED,
            )

    def rate_limit(self) -> RateLimitState | None:
        return self._transport.rate_limit

    def _read_in_batches(
        self,
        path: str,
        asked: Iterable[tuple[str, str]],
        extra: Iterable[tuple[str, str]],
        read: Callable[[Response], list[T]],
    ) -> list[T]:
        self._app_tokens()  # raises TwitchNotConfigured even for an empty batch
        found: list[T] = []
        for batch in batched(asked, MAX_IDS_PER_CALL):
            found += self._read(Call("GET", path, [*batch, *extra]), read)
        return found

    def _read(self, call: Call, read: Callable[[Response], T], *secrets: str) -> T:
        response = self._send(call, *secrets)
        try:
            return read(response)
        except ValueError:
            raise unexpected(call) from None

    def _send(self, call: Call, *secrets: str) -> Response:
        """The response to `call`, if successful. A rejected token is replaced once."""
        tokens = self._app_tokens()
        token = tokens.current()
        response = self._transport.send(call, self._identity(token))
        if response.status == HTTPStatus.UNAUTHORIZED:
            token = tokens.replacement(token)
            response = self._transport.send(call, self._identity(token))
        if not response.is_success:
            raise error_from(call, response, [self._client_secret, token, *secrets])
        return response

    def _app_tokens(self) -> AppTokens:
        if self._tokens is None:
            raise TwitchNotConfigured("TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET are not set.")
        return self._tokens

    def _identity(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}", "Client-Id": self._client_id}
