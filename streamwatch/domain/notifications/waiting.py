"""How long a delivery waits for a title and a category that a filter needs."""

from datetime import datetime, timedelta

from streamwatch.domain.notifications.actions import Action, Skip, Wait
from streamwatch.domain.notifications.filters import details_match, needs_details
from streamwatch.domain.notifications.models import Delivery, Notification, StreamDetails

WAIT_FOR_FILTERS = timedelta(minutes=5)
_RECHECK = timedelta(seconds=1)

UNKNOWN_DETAILS = "title and category were not known within 5 minutes"
OTHER_DETAILS = "title or category do not match the filters"


def held_by_filters(
    notification: Notification, delivery: Delivery, details: StreamDetails, now: datetime
) -> Action | None:
    """The Skip or Wait that the filters by title and category require; None if they match."""
    if delivery.forced or not needs_details(notification):
        return None
    matches = details_match(notification, details)
    if matches:
        return None
    if matches is False:
        return Skip(OTHER_DETAILS)
    if now >= delivery.created_at + WAIT_FOR_FILTERS:
        return Skip(UNKNOWN_DETAILS)
    return Wait(now + _RECHECK)
