"""The port to Twitch: Helix in typed calls, and one short tree of errors."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from streamwatch.domain.models import AppToken, EventType, Subscription, User
from streamwatch.domain.observations import SeenLive


class TwitchError(Exception):
    """Twitch did not do what was asked. The text is ours and safe to answer and to log."""


class TwitchNotConfigured(TwitchError):
    """TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET are not set."""


class TwitchUnavailable(TwitchError):
    """Twitch could not be reached, or failed, after the retries that its rules allow."""


class TwitchBusy(TwitchUnavailable):
    """The rate limit is used up for longer than we wait. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TwitchRefused(TwitchError):
    """Twitch understood and said no (4xx). `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TwitchDenied(TwitchRefused):
    """The credentials are not good: no token, or a fresh one was refused."""


class SubscriptionExists(TwitchRefused):
    """409: there is such a subscription already."""


class SubscriptionLimit(TwitchRefused):
    """The cost limit is reached, or there are too many of this type and condition (429)."""


@dataclass(frozen=True, slots=True)
class SubscriptionListing:
    """All pages of Get EventSub Subscriptions, read once."""

    subscriptions: tuple[Subscription, ...]
    total_cost: int
    max_total_cost: int


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """The rate limit as the last answer told it: `remaining` of `limit` points, full at
    `resets_at`."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Subscribe:
    """What is asked for: notifications of `type` about `user_id` to `callback`, signed with
    `secret`."""

    type: EventType
    user_id: str
    callback: str
    secret: str = field(repr=False)


class TokenStore(Protocol):
    """Where the processes share the app access token, so that they do not each ask for one."""

    def app_token(self) -> AppToken | None: ...

    def save_app_token(self, token: AppToken) -> None: ...


class Twitch(ABC):
    """Helix. Every call may raise TwitchNotConfigured, TwitchUnavailable, TwitchBusy, TwitchDenied
    or TwitchRefused, and never answers "nothing" because Twitch was down."""

    @abstractmethod
    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> list[User]:
        """The users that exist, 100 a call, in no order. A login is sent only if it is one."""

    @abstractmethod
    def streams(self, user_ids: Collection[str]) -> list[SeenLive]:
        """The streams that Helix shows on, one a user, 100 users a call. `at` is the time of the
        request: what it shows is no newer."""

    @abstractmethod
    def subscriptions(self) -> SubscriptionListing:
        """All EventSub subscriptions of this application, all pages, or an error."""

    @abstractmethod
    def subscribe(self, wanted: Subscribe) -> Subscription:
        """Create a subscription; SubscriptionExists where there is one, SubscriptionLimit where
        there is no room."""

    @abstractmethod
    def unsubscribe(self, subscription_id: str) -> None:
        """Delete a subscription. One that is gone already is a success."""

    @abstractmethod
    def budget(self) -> RateLimitState | None:
        """What is left of the rate limit; None before the first answer."""
