"""Deliveries for people (Discord, Apprise): held back, merged and silenced.

One go-live a streamer within the cooldown; an end only once it has lasted for `END_LASTS`; nothing
new in quiet hours. Discord shows a stream in one message, which is edited; Apprise gets a message
for every event that is left.
"""

from dataclasses import dataclass
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
from streamwatch.domain.notifications.waiting import held_by_filters

END_LASTS = timedelta(minutes=2)
"""How long after its arrival an end is announced, unless the streamer is live again by then."""

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
    return _Decision(notification, delivery, situation, conversation, now).action()


@dataclass(frozen=True, slots=True)
class _Decision:
    """Decides what to do with one delivery. See `decide`."""

    notification: Notification
    delivery: Delivery
    situation: Situation
    conversation: Conversation
    now: datetime

    def action(self) -> Action:
        delivery = self.delivery
        if delivery.is_test or delivery.forced:
            return Send()
        if delivery.edit_refused:
            return self._unless_quiet()
        if delivery.event_type == ONLINE:
            return self._announce()
        return self._update() if delivery.event_type == UPDATE else self._end()

    def _announce(self) -> Action:
        situation, details = self.situation, self.situation.details
        if situation.is_known and situation.live_stream_id != self.delivery.stream_id:
            return Skip(OVER, is_over=True)
        held = self._held_by_filters()
        if held is not None:
            return held
        is_complete = details.title is not None and details.category is not None
        if not is_complete and self.now < self.delivery.created_at + WAIT_FOR_DETAILS:
            return Wait(self.now + _RECHECK)
        return self._continue() or self._unless_quiet()

    def _continue(self) -> Action | None:
        """What to do with a go-live that the last announcement covers; None if it covers none."""
        conversation, cooldown_ends = self.conversation, self._cooldown_ends()
        in_cooldown = cooldown_ends is not None and self.now < cooldown_ends
        is_same = conversation.stream_id == self.delivery.stream_id
        if conversation.message_id and (in_cooldown or is_same):
            return Edit(conversation.message_id)
        if not in_cooldown:
            return None
        return Skip(f"cooldown until {cooldown_ends:%H:%M} UTC", in_cooldown=True)

    def _update(self) -> Action:
        held = self._held_by_filters()
        if held is not None:
            return held
        if self.notification.kind is not TargetKind.DISCORD:
            return self._unless_quiet()
        conversation = self.conversation
        is_current = not conversation.ended and conversation.stream_id == self.delivery.stream_id
        if not is_current or not conversation.message_id:
            return Skip(NO_MESSAGE)
        return Edit(conversation.message_id)

    def _end(self) -> Action:
        delivery, conversation = self.delivery, self.conversation
        earlier = conversation.earlier.get(delivery.stream_id or "")
        if earlier and earlier != conversation.message_id:
            return Edit(earlier)
        if self._is_live_again(earlier) and self.notification.cooldown_minutes > 0:
            return Skip(LIVE_AGAIN, did_not_last=True)
        stream_id = conversation.stream_id
        is_announced = stream_id is not None and stream_id == delivery.stream_id
        if self.notification.kind is TargetKind.DISCORD:
            is_shown = is_announced and conversation.message_id is not None
            return Edit(conversation.message_id or "") if is_shown else Skip(NOT_ANNOUNCED)
        unannounced = conversation.unannounced
        if unannounced is not None and unannounced == delivery.stream_id:
            return Skip(NOT_ANNOUNCED)
        held = None if is_announced else self._held_by_filters()
        return held or self._unless_quiet()

    def _is_live_again(self, earlier: str | None) -> bool:
        """Whether the streamer is live again, or was after this stream. While no other stream has
        taken its place, the Discord message of this stream shows the end nevertheless."""
        live = self.situation.live_stream_id
        if earlier is not None or (live is not None and live == self.delivery.stream_id):
            return True
        return live is not None and self.notification.kind is not TargetKind.DISCORD

    def _held_by_filters(self) -> Action | None:
        details = self.situation.details
        return held_by_filters(self.notification, self.delivery, details, self.now)

    def _unless_quiet(self) -> Action:
        quiet = self.notification.quiet_hours
        if quiet is not None and quiet.contains(self.now):
            return Skip(f"quiet hours until {quiet.ends_after(self.now):%H:%M}")
        return Send()

    def _cooldown_ends(self) -> datetime | None:
        announced_at = self.conversation.announced_at
        if announced_at is None or not self.notification.cooldown_minutes:
            return None
        return announced_at + timedelta(minutes=self.notification.cooldown_minutes)
