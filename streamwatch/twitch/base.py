"""The Twitch port: typed Helix calls and a small hierarchy of errors."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from streamwatch.domain.models import AppToken, Subscription, User, Video
from streamwatch.domain.observations import SeenLive
from streamwatch.domain.subscriptions import DesiredSubscription, Transport
from streamwatch.domain.websocket_messages import SocketMessage

MAX_IDS_PER_CALL = 100
"""The most ids and logins that Get Users, Get Streams and Get Channels accept in one call."""


class TwitchError(Exception):
    """A request to Twitch failed. The text is written by us and safe to show and to log."""


class TwitchNotConfigured(TwitchError):
    """TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET are not set."""


class TwitchUnavailable(TwitchError):
    """Twitch was unreachable or failed, also after the retries that its rules allow."""


class TwitchBusy(TwitchUnavailable):
    """The rate limit is exhausted for longer than we wait. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TwitchRefused(TwitchError):
    """Twitch rejected the request (4xx). `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TwitchDenied(TwitchRefused):
    """The credentials are invalid: Twitch issued no token, or rejected a new one."""


class NotFound(TwitchRefused):
    """404: what the request names does not exist at Twitch."""


class SubscriptionExists(TwitchRefused):
    """409: such a subscription exists already."""


class SubscriptionLimit(TwitchRefused):
    """The cost limit is reached, or there are too many of this type and condition (429)."""


class ConduitLimit(TwitchRefused):
    """The application has as many conduits as Twitch allows (429)."""


class ConnectionLost(TwitchUnavailable):
    """The WebSocket could not be opened, was closed, or is silent."""


@dataclass(frozen=True, slots=True)
class SubscriptionListing:
    """All pages of Get EventSub Subscriptions."""

    subscriptions: tuple[Subscription, ...]
    total_cost: int
    max_total_cost: int


@dataclass(frozen=True, slots=True)
class Conduit:
    """A conduit of the application."""

    id: str
    shard_count: int


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard of a conduit. `status` is Twitch's word, such as `enabled` or
    `websocket_disconnected`."""

    id: str
    status: str


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """The rate limit as of the last response: `remaining` of `limit` points; the bucket is full at
    `resets_at`."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class FoundUsers:
    """A response of Get Users. `unreadable` are requested logins that are not among `users`, and
    that a malformed item may belong to: it is not known whether such users exist."""

    users: tuple[User, ...] = ()
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LiveStreams:
    """A response of Get Streams. `seen` are the live streams, at most one a user. `unreadable` are
    the ids of users whose stream is malformed: it is not known whether they are live."""

    seen: tuple[SeenLive, ...] = ()
    unreadable: frozenset[str] = frozenset()


class EventSubSocket(ABC):
    """A connection to EventSub's WebSocket that has been welcomed. One thread uses it."""

    session_id: str
    """Identifies the connection when a shard is attached to it."""

    @abstractmethod
    def receive(self, seconds: float) -> SocketMessage | None:
        """The next message; None if there is none within `seconds`. A malformed message is an
        Unknown. Raises ConnectionLost if the connection was closed, or silent for too long."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


class TokenStore(Protocol):
    """Where the processes share the app access token, so that not each requests its own."""

    def app_token(self) -> AppToken | None: ...

    def save_app_token(self, token: AppToken) -> None: ...


class Twitch(ABC):
    """Helix. Every call may raise TwitchNotConfigured, TwitchUnavailable, TwitchBusy, TwitchDenied
    or TwitchRefused; a failure is never reported as an empty result."""

    @abstractmethod
    def users(self, *, logins: Collection[str] = (), user_ids: Collection[str] = ()) -> FoundUsers:
        """The users that exist, in no particular order. Values that are not logins are not sent;
        users who were not asked for, or whose id or login is malformed, are left out."""

    @abstractmethod
    def streams(self, user_ids: Collection[str]) -> LiveStreams:
        """The live streams of these users. The `at` of a stream is the time of the request."""

    @abstractmethod
    def videos(self, user_id: str) -> list[Video]:
        """The newest archived videos of a user, a few hundred at most, in no particular order.
        Malformed ones are left out. One call for each 100."""

    @abstractmethod
    def subscriptions(self) -> SubscriptionListing:
        """All EventSub subscriptions of the application: all pages, or an error."""

    @abstractmethod
    def subscribe(self, wanted: DesiredSubscription, transport: Transport) -> Subscription:
        """Create a subscription. Raises SubscriptionExists or SubscriptionLimit."""

    @abstractmethod
    def unsubscribe(self, subscription_id: str) -> None:
        """Delete a subscription. Succeeds also if it does not exist."""

    @abstractmethod
    def conduits(self) -> list[Conduit]:
        """All conduits of the application."""

    @abstractmethod
    def create_conduit(self, shard_count: int) -> Conduit:
        """Create a conduit. Raises ConduitLimit."""

    @abstractmethod
    def delete_conduit(self, conduit_id: str) -> None:
        """Delete a conduit with its subscriptions. Raises NotFound."""

    @abstractmethod
    def shards(self, conduit_id: str) -> list[Shard]:
        """The shards of a conduit. Raises NotFound."""

    @abstractmethod
    def attach_shard(self, conduit_id: str, shard_id: str, session_id: str) -> None:
        """Let a shard deliver to the WebSocket session `session_id`. Raises NotFound for an
        unknown conduit, and TwitchRefused where Twitch reports an error for the shard."""

    @abstractmethod
    def rate_limit(self) -> RateLimitState | None:
        """The state of the rate limit; None before the first response."""
