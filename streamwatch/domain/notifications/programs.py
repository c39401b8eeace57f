"""Deliveries for programs (webhooks): at once and complete."""

from datetime import datetime

from streamwatch.domain.notifications.actions import Action, Send
from streamwatch.domain.notifications.models import Delivery, Notification, Situation
from streamwatch.domain.notifications.waiting import held_by_filters


def decide(
    notification: Notification, delivery: Delivery, situation: Situation, now: datetime
) -> Action:
    """What to do with a delivery that is due. Once its body exists, the filters no longer apply: a
    retry sends the same body."""
    if delivery.body is not None:
        return Send()
    return held_by_filters(notification, delivery, situation.details, now) or Send()
