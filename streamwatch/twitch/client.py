"""Helix over HTTP: https://dev.twitch.tv/docs/api/reference/"""

import copy
import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Self, TypeVar

from streamwatch.domain import subscriptions as eventsub
from streamwatch.domain.batches import batched
from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.models import Subscription, Video
from streamwatch.domain.times import utc_now
from streamwatch.settings import Settings
from streamwatch.twitch.base import (
    MAX_IDS_PER_CALL,
    Conduit,
    FoundUsers,
    LiveStreams,
    RateLimitState,
    Shard,
    SubscriptionListing,
    TokenStore,
    Twitch,
    TwitchNotConfigured,
    TwitchRefused,
    TwitchUnavailable,
)
from streamwatch.twitch.calls import Call, Response, error_from, malformed_response
from streamwatch.twitch.eventsub_calls import (
    SUBSCRIPTIONS,
    attach_shard_call,
    create_conduit_call,
    delete_conduit_call,
    list_conduits_call,
    list_shards_call,
    list_subscriptions_call,
    subscribe_call,
)
from streamwatch.twitch.parsing.conduits import (
    parse_conduits,
    parse_created_conduit,
    parse_shard_errors,
    parse_shard_page,
)
from streamwatch.twitch.parsing.documents import Page
from streamwatch.twitch.parsing.streams import parse_live_streams
from streamwatch.twitch.parsing.subscriptions import parse_subscription, parse_subscription_page
from streamwatch.twitch.parsing.users import parse_users
from streamwatch.twitch.parsing.videos import parse_video_page
from streamwatch.twitch.token import AppTokens
from streamwatch.twitch.transport import CallLimits, Observe, ObserveDate, Transport

T = TypeVar("T")
AnyPage = TypeVar("AnyPage", bound=Page)

MAX_PAGES = 200
"""The most pages that are read of one listing; more are an error of Twitch's."""

MAX_VIDEO_PAGES = 5
"""The most pages of videos that are read of one user, the newest first."""


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
        limits: CallLimits | None = None,
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
            limits=limits or CallLimits(),
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
        limits = CallLimits()
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

    def with_own_sessions(self) -> Self:
        """The same client with connections of its own, for background work: calls that a user waits
        for never queue behind it, and the number of web threads does not limit it."""
        other = copy.copy(self)
        in_flight = CallLimits().in_flight
        other._transport = self._transport.with_own_sessions(in_flight)  # noqa: SLF001  of this class
        return other

    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> FoundUsers:
        valid = dict.fromkeys(login.lower() for login in logins if LOGIN.fullmatch(login))
        asked = [("login", login) for login in valid]
        asked += [("id", user_id) for user_id in dict.fromkeys(user_ids)]
        self._app_tokens()  # raises TwitchNotConfigured even for an empty batch
        answers = [
            self._read(Call("GET", "/users", batch), partial(parse_users, asked=batch))
            for batch in batched(asked, MAX_IDS_PER_CALL)
        ]
        found = {user.user_id: user for answer in answers for user in answer.users}
        return FoundUsers(
            tuple(found.values()),
            frozenset(login for answer in answers for login in answer.unreadable)
            - {user.login for user in found.values()},
        )

    def streams(self, user_ids: Collection[str]) -> LiveStreams:
        self._app_tokens()
        answers = [
            self._streams(batch) for batch in batched(dict.fromkeys(user_ids), MAX_IDS_PER_CALL)
        ]
        return LiveStreams(
            tuple(live for answer in answers for live in answer.seen),
            frozenset(user_id for answer in answers for user_id in answer.unreadable),
        )

    def videos(self, user_id: str) -> list[Video]:
        found: dict[str, Video] = {}  # pages overlap if a video is added meanwhile
        asked = [("user_id", user_id), ("type", "archive"), ("first", str(MAX_IDS_PER_CALL))]
        cursor = None
        for _ in range(MAX_VIDEO_PAGES):
            params = [*asked, ("after", cursor)] if cursor else asked
            page = self._read(Call("GET", "/videos", params), parse_video_page)
            found.update((video.id, video) for video in page.videos)
            cursor = page.cursor
            if cursor is None:
                break
        return list(found.values())

    def subscriptions(self) -> SubscriptionListing:
        found: dict[str, Subscription] = {}  # pages overlap if subscriptions are deleted meanwhile
        for page in self._pages(list_subscriptions_call, parse_subscription_page):
            found.update((each.id, each) for each in page.subscriptions)
        return SubscriptionListing(tuple(found.values()), page.total_cost, page.max_total_cost)

    def subscribe(
        self, wanted: eventsub.DesiredSubscription, transport: eventsub.Transport
    ) -> Subscription:
        """See the port. Like any other call it is sent again after a lost response. If the first
        request succeeded, Twitch answers 409 to the second, and SubscriptionExists lets the caller
        adopt the subscription."""
        secrets = [transport.secret] if isinstance(transport, eventsub.WebhookTransport) else []
        return self._read(subscribe_call(wanted, transport), parse_subscription, *secrets)

    def unsubscribe(self, subscription_id: str) -> None:
        try:
            self._send(Call("DELETE", SUBSCRIPTIONS, [("id", subscription_id)]))
        except TwitchRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    def conduits(self) -> list[Conduit]:
        return self._read(list_conduits_call(), parse_conduits)

    def create_conduit(self, shard_count: int) -> Conduit:
        return self._read(create_conduit_call(shard_count), parse_created_conduit)

    def delete_conduit(self, conduit_id: str) -> None:
        self._send(delete_conduit_call(conduit_id))

    def shards(self, conduit_id: str) -> list[Shard]:
        pages = self._pages(partial(list_shards_call, conduit_id), parse_shard_page)
        return [shard for page in pages for shard in page.shards]

    def attach_shard(self, conduit_id: str, shard_id: str, session_id: str) -> None:
        call = attach_shard_call(conduit_id, shard_id, session_id)
        errors = self._read(call, parse_shard_errors)
        if errors:
            raise TwitchRefused(
                f"Twitch did not attach the WebSocket to the conduit: {', '.join(errors)}",
                HTTPStatus.ACCEPTED,
            )

    def rate_limit(self) -> RateLimitState | None:
        return self._transport.rate_limit

    def _streams(self, user_ids: Collection[str]) -> LiveStreams:
        # `first` is 20 by default: with the maximum, one page holds all streams of the batch.
        first = ("first", str(MAX_IDS_PER_CALL))
        call = Call("GET", "/streams", [*(("user_id", each) for each in user_ids), first])
        return self._read(call, partial(parse_live_streams, asked=user_ids))

    def _pages(
        self, call_for: Callable[[str | None], Call], read: Callable[[Response], AnyPage]
    ) -> Iterator[AnyPage]:
        """All pages of a listing. `call_for` makes the call for the page at a cursor. Raises
        TwitchUnavailable if there are more than MAX_PAGES or a cursor comes again."""
        cursors: list[str | None] = [None]
        for _ in range(MAX_PAGES):
            call = call_for(cursors[-1])
            page = self._read(call, read)
            yield page
            if page.cursor is None:
                return
            if page.cursor in cursors:
                raise malformed_response(call)  # the pages repeat
            cursors.append(page.cursor)
        raise TwitchUnavailable(f"Twitch's list {call.path} has more than {MAX_PAGES} pages.")

    def _read(self, call: Call, read: Callable[[Response], T], *secrets: str) -> T:
        response = self._send(call, *secrets)
        try:
            return read(response)
        except ValueError:
            raise malformed_response(call) from None

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
