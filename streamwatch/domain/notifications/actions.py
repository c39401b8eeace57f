"""The decisions about a delivery that is due."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Send:
    """Send it: a request to a webhook, or a new message for people."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Edit the Discord message `message_id`."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Decide again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """Do not send it, for `reason`."""

    reason: str
    did_not_last: bool = False
    """The stream is on again: the delivery is reopened if the stream ends again."""
    is_over: bool = False
    """The stream ended before it could be announced."""
    in_cooldown: bool = False
    """A go-live so soon after the last one that the last announcement covers it."""


Action = Send | Edit | Wait | Skip
