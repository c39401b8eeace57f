"""Twitch's records of this application: subscriptions and the app access token."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_ENABLED = "enabled"

ALIVE_STATUSES = frozenset({_ENABLED, "webhook_callback_verification_pending"})
"""The statuses of subscriptions that deliver events, now or once their callback is verified."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """An EventSub subscription as Twitch lists it. Twitch adds new values of `status`: any that is
    not in ALIVE_STATUSES means that the subscription delivers nothing."""

    id: str
    type: str
    version: str
    status: str
    condition: dict[str, Any]
    callback: str | None
    created_at: datetime
    cost: int
    conduit_id: str | None = None

    @property
    def user_id(self) -> str | None:
        value = self.condition.get("broadcaster_user_id")
        return value if isinstance(value, str) else None

    @property
    def is_enabled(self) -> bool:
        return self.status == _ENABLED

    @property
    def has_failed_verification(self) -> bool:
        """Whether Twitch got no right answer to its challenge."""
        return self.status == "webhook_callback_verification_failed"

    @property
    def is_alive(self) -> bool:
        """Whether it is active, or will be once Twitch has received the answer to its challenge."""
        return self.status in ALIVE_STATUSES


@dataclass(frozen=True, slots=True)
class AppToken:
    """Twitch's app access token. Its value is left out of its repr: it must reach no log."""

    value: str = field(repr=False)
    expires_at: datetime
