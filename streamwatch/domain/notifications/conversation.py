"""The state of a conversation: what one notification for people has sent about one streamer so far.
How each message changes it, and which deliveries it reopens."""

from dataclasses import replace
from datetime import datetime

from streamwatch.domain.notifications.actions import Edit, Send, Skip
from streamwatch.domain.notifications.models import (
    OFFLINE,
    ONLINE,
    Conversation,
    Delivery,
    DeliveryStatus,
    Notification,
    TargetKind,
)
from streamwatch.domain.notifications.people import NOT_ANNOUNCED, held_until

MAX_EARLIER = 8
"""Streams before the current one that are remembered until their ends are announced."""


def conversation_after(
    conversation: Conversation,
    delivery: Delivery,
    action: Send | Edit | Skip,
    message_id: str | None,
    now: datetime,
    live_stream_id: str | None,
) -> Conversation:
    """The conversation after `action`. `message_id` is the Discord message that was
    posted or edited, None for none. `live_stream_id` is the stream that is on now.

    An old delivery that a user requested again changes nothing: the conversation is about a later
    stream.
    """
    if isinstance(action, Skip):
        return _after_skipping(conversation, delivery, action)
    if delivery.event_type == OFFLINE:
        return _after_end(conversation, delivery, message_id)
    is_old = delivery.stream_id != live_stream_id and _is_of_other_stream(conversation, delivery)
    if delivery.event_type != ONLINE or is_old:
        return conversation
    continued = _continued(conversation, delivery)
    if isinstance(action, Edit):
        return continued
    return replace(continued, announced_at=now, message_id=message_id, unannounced=None)


def _after_end(
    conversation: Conversation, delivery: Delivery, message_id: str | None
) -> Conversation:
    if delivery.stream_id in conversation.earlier:
        earlier = {
            stream_id: sent
            for stream_id, sent in conversation.earlier.items()
            if stream_id != delivery.stream_id
        }
        return replace(conversation, earlier=earlier)
    if _is_of_other_stream(conversation, delivery):
        return conversation
    return replace(conversation, ended=True, message_id=message_id or conversation.message_id)


def _after_skipping(conversation: Conversation, delivery: Delivery, action: Skip) -> Conversation:
    if action.is_over or (action.in_cooldown and conversation.ended):
        return replace(conversation, unannounced=delivery.stream_id)
    return _continued(conversation, delivery) if action.in_cooldown else conversation


def reopened(
    notification: Notification, known: Delivery, conversation: Conversation, now: datetime
) -> Delivery | None:
    """The `known` delivery of an event that has happened again, reset for new attempts; None if it
    does not change.

    The same stream can go off, on and off again. The delay of its end then starts again; a go-live
    that was skipped as over is announced, and the end after it too; and a Discord message that
    shows the end is edited to show the live stream. What applied to the attempts before (a user's
    request, a refused edit) does not apply to the new ones.
    """
    waits = known.status is DeliveryStatus.PENDING and known.attempts == 0
    edits = notification.kind is TargetKind.DISCORD and conversation.stream_id == known.stream_id
    is_shown_live = conversation.stream_id == known.stream_id and not conversation.ended
    if known.event_type == OFFLINE:
        again = (
            waits
            or known.did_not_last
            or (is_shown_live and known.error == NOT_ANNOUNCED)
            or (is_shown_live and edits and _is_delivered(known))
        )
    elif known.event_type == ONLINE:
        was_over = (
            known.status is DeliveryStatus.SKIPPED and conversation.unannounced == known.stream_id
        )
        again = was_over or (edits and conversation.ended and _is_delivered(known))
    else:
        again = False
    if not again:
        return None
    return replace(
        known,
        status=DeliveryStatus.PENDING,
        error=None,
        attempts=0,
        first_attempt_at=None,
        delivered_at=None,
        forced=False,
        did_not_last=False,
        edit_refused=False,
        next_attempt_at=held_until(notification, known.event_type, now),
    )


def _is_of_other_stream(conversation: Conversation, delivery: Delivery) -> bool:
    """Whether a user requested a delivery about another stream than the conversation's."""
    return delivery.forced and delivery.stream_id != conversation.stream_id


def _is_delivered(known: Delivery) -> bool:
    return known.status is DeliveryStatus.DELIVERED


def _continued(conversation: Conversation, delivery: Delivery) -> Conversation:
    """The conversation with the delivery's stream as the current one. Earlier streams are
    remembered with their messages until their ends are sent."""
    earlier = dict(conversation.earlier)
    if (
        conversation.stream_id
        and conversation.stream_id != delivery.stream_id
        and not conversation.ended
    ):
        earlier[conversation.stream_id] = conversation.message_id or ""
    earlier = dict(list(earlier.items())[-MAX_EARLIER:])
    return replace(conversation, stream_id=delivery.stream_id, ended=False, earlier=earlier)
