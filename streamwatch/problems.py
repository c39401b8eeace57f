"""How exceptions of services and ports are answered over HTTP: by the API and by the dashboard."""

import math
from dataclasses import dataclass
from http import HTTPStatus

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.domain.eventsub import ForgedMessage, MalformedMessage, StaleMessage
from streamwatch.services.errors import (
    AlreadyRunning,
    LimitReached,
    NotMonitored,
    UnknownSession,
    UnknownStreamer,
    UnknownUser,
)
from streamwatch.services.notifications.errors import (
    ChangedMeanwhile,
    DeliveryPending,
    NoSecret,
    NotificationOff,
    TooManyNotifications,
    UnknownDelivery,
    UnknownNotification,
)
from streamwatch.storage.base import StorageUnavailable
from streamwatch.twitch.base import TwitchBusy, TwitchError, TwitchNotConfigured


@dataclass(frozen=True, slots=True)
class ProblemSpec:
    """The problem document for a type of exception. Without `detail` it has the exception's own
    text, which must be written by us."""

    status: HTTPStatus
    detail: str | None = None
    retry_after: int | None = None
    """Seconds."""

    def retry_after_seconds(self, error: Exception) -> int | None:
        """The value of the `Retry-After` header: what `error` says, or else `retry_after`."""
        if isinstance(error, TwitchBusy | LimitReached):
            return max(1, math.ceil(error.retry_after))
        return self.retry_after


PROBLEMS: dict[type[Exception], ProblemSpec] = {
    UnknownUser: ProblemSpec(HTTPStatus.NOT_FOUND),
    NotMonitored: ProblemSpec(HTTPStatus.NOT_FOUND),
    UnknownStreamer: ProblemSpec(HTTPStatus.NOT_FOUND),
    UnknownSession: ProblemSpec(HTTPStatus.NOT_FOUND),
    LimitReached: ProblemSpec(HTTPStatus.TOO_MANY_REQUESTS),
    AlreadyRunning: ProblemSpec(HTTPStatus.CONFLICT, retry_after=60),
    UnknownNotification: ProblemSpec(HTTPStatus.NOT_FOUND),
    UnknownDelivery: ProblemSpec(HTTPStatus.NOT_FOUND),
    TooManyNotifications: ProblemSpec(HTTPStatus.CONFLICT),
    NotificationOff: ProblemSpec(HTTPStatus.CONFLICT),
    DeliveryPending: ProblemSpec(HTTPStatus.CONFLICT),
    NoSecret: ProblemSpec(HTTPStatus.CONFLICT),
    ChangedMeanwhile: ProblemSpec(HTTPStatus.CONFLICT),
    MalformedMessage: ProblemSpec(HTTPStatus.BAD_REQUEST),
    ForgedMessage: ProblemSpec(HTTPStatus.FORBIDDEN),
    StaleMessage: ProblemSpec(HTTPStatus.FORBIDDEN),
    TwitchError: ProblemSpec(HTTPStatus.BAD_GATEWAY),
    TwitchBusy: ProblemSpec(HTTPStatus.SERVICE_UNAVAILABLE),
    TwitchNotConfigured: ProblemSpec(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "This needs Twitch: set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET.",
        60,
    ),
    StorageUnavailable: ProblemSpec(
        HTTPStatus.SERVICE_UNAVAILABLE, "The storage does not answer now.", 5
    ),
    AnalyticsUnavailable: ProblemSpec(
        HTTPStatus.SERVICE_UNAVAILABLE, "The analytics do not answer now.", 5
    ),
}
"""The entry of the most specific type is used."""
