"""Deliveries for people (Discord, Apprise): held back, merged and silenced.

One go-live a streamer within the cooldown; an end only once it has lasted for `END_LASTS`; nothing
new in quiet hours. Discord shows a stream in one message, which is edited; Apprise gets a message
for every event that is left.
"""

from datetime import datetime, timedelta

from streamwatch.domain.notifications.actions import Action, Edit, Send, Skip, Wait
from streamwatch.domain.notifications.models import (
    OFFLINE,
    ONLINE,
    UPDATE,
    Conversation,
    Delivery,
    Notification,
    Situation,
    TargetKind,
)
from streamwatch.domain.notifications.waiting import filtered

END_LASTS = timedelta(minutes=2)
"""How long an end must have lasted, from its arrival on, before it is announced."""

WAIT_FOR_DETAILS = timedelta(seconds=5)
"""How long a go-live waits for title and category."""

_RECHECK = timedelta(milliseconds=500)

LIVE_AGAIN = "the streamer went live again"
OVER = "the stream ended before it could be announced"
NOT_ANNOUNCED = "the start of this stream was not announced"
NO_MESSAGE = "there is no message about a current stream to edit"


def held_until(notification: Notification, event_type: str, now: datetime) -> datetime:
    """When a delivery that is created `now` is first due."""
    is_held = event_type == OFFLINE and notification.cooldown_minutes > 0
    return now + END_LASTS if is_held else now


def lane(user_id: str, event_type: str) -> str:
    """Ends wait in a lane of their own, so that they hold back no go-live."""
    return f"{user_id}/end" if event_type == OFFLINE else user_id


def decide(
    notification: Notification,
    delivery: Delivery,
    situation: Situation,
    conversation: Conversation,
    now: datetime,
) -> Action:
    """What to do with a delivery that is due."""
    if delivery.is_test or delivery.forced:
        return Send()
    if delivery.edit_refused:
        return _unless_quiet(notification, now)
    if delivery.event_type == ONLINE:
        return _announce(notification, delivery, situation, conversation, now)
    if delivery.event_type == UPDATE:
        return _update(notification, delivery, situation, conversation, now)
    return _end(notification, delivery, situation, conversation, now)


def _announce(
    notification: Notification,
    delivery: Delivery,
    situation: Situation,
    conversation: Conversation,
    now: datetime,
) -> Action:
    details = situation.details
    if situation.is_known and situation.live_stream_id != delivery.stream_id:
        return Skip(OVER, is_over=True)
    held = filtered(notification, delivery, details, now)
    if held is not None:
        return held
    is_complete = details.title is not None and details.category is not None
    if not is_complete and now < delivery.created_at + WAIT_FOR_DETAILS:
        return Wait(now + _RECHECK)
    return _continue(notification, delivery, conversation, now) or _unless_quiet(notification, now)


def _continue(
    notification: Notification, delivery: Delivery, conversation: Conversation, now: datetime
) -> Action | None:
    """What to do with a go-live that the last announcement covers; None if it covers none."""
    cooldown_ends = _cooldown_ends(notification, conversation)
    in_cooldown = cooldown_ends is not None and now < cooldown_ends
    if conversation.message_id and (in_cooldown or conversation.stream_id == delivery.stream_id):
        return Edit(conversation.message_id)
    if not in_cooldown:
        return None
    return Skip(f"cooldown until {cooldown_ends:%H:%M} UTC", in_cooldown=True)


def _update(
    notification: Notification,
    delivery: Delivery,
    situation: Situation,
    conversation: Conversation,
    now: datetime,
) -> Action:
    held = filtered(notification, delivery, situation.details, now)
    if held is not None:
        return held
    if notification.kind is not TargetKind.DISCORD:
        return _unless_quiet(notification, now)
    is_shown = (
        conversation.message_id
        and not conversation.ended
        and conversation.stream_id == delivery.stream_id
    )
    if not is_shown or conversation.message_id is None:
        return Skip(NO_MESSAGE)
    return Edit(conversation.message_id)


def _end(
    notification: Notification,
    delivery: Delivery,
    situation: Situation,
    conversation: Conversation,
    now: datetime,
) -> Action:
    earlier = conversation.earlier.get(delivery.stream_id or "")
    if earlier and earlier != conversation.message_id:
        return Edit(earlier)
    if _went_on(notification, delivery, situation, earlier) and notification.cooldown_minutes > 0:
        return Skip(LIVE_AGAIN, did_not_last=True)
    is_announced = (
        conversation.stream_id is not None and conversation.stream_id == delivery.stream_id
    )
    if notification.kind is TargetKind.DISCORD:
        is_shown = is_announced and conversation.message_id is not None
        return Edit(conversation.message_id or "") if is_shown else Skip(NOT_ANNOUNCED)
    if conversation.unannounced is not None and conversation.unannounced == delivery.stream_id:
        return Skip(NOT_ANNOUNCED)
    held = None if is_announced else filtered(notification, delivery, situation.details, now)
    return held or _unless_quiet(notification, now)


def _went_on(
    notification: Notification, delivery: Delivery, situation: Situation, earlier: str | None
) -> bool:
    """Whether the streamer is live again, or was after this stream. While no other stream has taken
    its place, the Discord message of this stream shows the end nevertheless."""
    live = situation.live_stream_id
    if earlier is not None or (live is not None and live == delivery.stream_id):
        return True
    return live is not None and notification.kind is not TargetKind.DISCORD


def _unless_quiet(notification: Notification, now: datetime) -> Action:
    quiet = notification.quiet_hours
    if quiet is not None and quiet.contains(now):
        return Skip(f"quiet hours until {quiet.ends_after(now):%H:%M}")
    return Send()


def _cooldown_ends(notification: Notification, conversation: Conversation) -> datetime | None:
    if conversation.announced_at is None or not notification.cooldown_minutes:
        return None
    return conversation.announced_at + timedelta(minutes=notification.cooldown_minutes)
