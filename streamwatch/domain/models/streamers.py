"""Twitch users, and the records of monitored streamers."""

from dataclasses import dataclass
from datetime import datetime

from streamwatch.domain.models.events import EventType
from streamwatch.domain.positions import Position


@dataclass(frozen=True, slots=True)
class User:
    """A Twitch user, as Get Users describes it."""

    user_id: str
    login: str
    display_name: str
    profile_image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Streamer:
    """A monitored user, with the ids of their EventSub subscriptions.

    `signed_with` identifies the webhook secret that the subscriptions were created with (see
    `subscriptions.secret_fingerprint`); None if it is unknown or nothing is signed. The names are
    as of `named_at`, None if that is unknown. `version` grows with each change (see `streamers`).
    `tags` are the operator's, sorted (see `tags.normalized`).
    """

    user_id: str
    login: str
    display_name: str
    added_at: datetime
    online_subscription_id: str | None = None
    offline_subscription_id: str | None = None
    signed_with: str | None = None
    update_subscription_id: str | None = None
    named_at: datetime | None = None
    version: int = 1
    profile_image_url: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def position(self) -> Position:
        """The position in the list of streamers."""
        return Position(self.added_at, self.user_id)

    @property
    def is_active(self) -> bool:
        """Whether the subscriptions to online and offline exist. Updates are optional."""
        return bool(self.online_subscription_id and self.offline_subscription_id)

    @property
    def subscription_ids(self) -> dict[str, str]:
        """The ids of the existing subscriptions, by EventSub subscription type."""
        ids = {
            EventType.ONLINE.value: self.online_subscription_id,
            EventType.OFFLINE.value: self.offline_subscription_id,
            EventType.UPDATE.value: self.update_subscription_id,
        }
        return {event_type: known for event_type, known in ids.items() if known}


@dataclass(frozen=True, slots=True)
class NameChange:
    """A streamer's names as read at a time, where other names were known."""

    at: datetime
    user_id: str
    login: str
    display_name: str
