"""Attempts a delivery that is due: decides what to do, does it, and returns the outcome."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from streamwatch.domain.notifications import people, programs
from streamwatch.domain.notifications.actions import Action, Edit, Skip, Wait
from streamwatch.domain.notifications.conversation import conversation_after
from streamwatch.domain.notifications.documents import conversation_document, conversation_from
from streamwatch.domain.notifications.models import (
    OFFLINE,
    ONLINE,
    Conversation,
    Delivery,
    DeliveryStatus,
    EditRefusal,
    Notification,
    SendResult,
    Situation,
    TargetKind,
)
from streamwatch.domain.notifications.retries import Random, after_attempt, finished
from streamwatch.services.documents import Document
from streamwatch.services.notifications.bodies import WebhookBodies
from streamwatch.services.notifications.context import EventContext
from streamwatch.services.notifications.messages import text_of
from streamwatch.services.notifications.senders.base import Message, Sender, Sent
from streamwatch.storage.notifications import Attempted, NotificationStore

SWITCHED_OFF = "the notification is switched off"
_RATE = "rate"
"""The name under which the store has the state of a target's rate limit."""


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """The result of an attempt: the delivery to save, and the changes to save with it. `is_gone`
    says that the receiver wants no more or was deleted, `is_final` that some of several recipients
    may have the message although the attempt failed."""

    delivery: Delivery
    attempted: Attempted
    is_gone: bool = False
    is_final: bool = False


class DeliveryAttempt:
    """Attempts deliveries. Safe for threads."""

    def __init__(
        self,
        store: NotificationStore,
        context: EventContext,
        bodies: WebhookBodies,
        senders: Mapping[TargetKind, Sender],
        clock: Callable[[], datetime],
        choose: Random = random.random,
    ) -> None:
        self._store = store
        self._context = context
        self._bodies = bodies
        self._senders = senders
        self._clock = clock
        self._random = choose

    def sender(self, notification: Notification) -> Sender:
        return self._senders[notification.kind]

    def run(self, notification: Notification, delivery: Delivery) -> AttemptOutcome:
        """Attempt a claimed delivery."""
        now = self._clock()
        if not notification.enabled and not delivery.is_test:
            return self._unsent(delivery, Skip(SWITCHED_OFF), now)
        if notification.kind is TargetKind.WEBHOOK:
            return self._run_webhook(notification, delivery, now)
        return self._run_people(notification, delivery, now)

    # Webhooks

    def _run_webhook(
        self, notification: Notification, delivery: Delivery, now: datetime
    ) -> AttemptOutcome:
        if delivery.body is None:
            situation = self._context.situation(delivery)
            action = programs.decide(notification, delivery, situation, now)
            if isinstance(action, Skip | Wait):
                return self._unsent(delivery, action, now)
            # Stored before it is sent: the body is the same for every attempt after a crash, too.
            body = self._bodies.make(delivery.event, delivery.event_type, delivery.stream_id)
            return AttemptOutcome(replace(delivery, body=body, next_attempt_at=now), Attempted(now))
        message = Message(delivery.id, body=delivery.body)
        sent = self.sender(notification).send(notification, message)
        return self._sent(delivery, sent, {})

    # People

    def _run_people(
        self, notification: Notification, delivery: Delivery, now: datetime
    ) -> AttemptOutcome:
        name = conversation_name(delivery.event.broadcaster_id)
        conversation = conversation_from(self._store.state(notification.id, name))
        situation = self._context.situation(delivery)
        live_stream_id = situation.live_stream_id
        action = people.decide(notification, delivery, situation, conversation, now)
        if isinstance(action, Wait):
            return self._unsent(delivery, action, now)
        if isinstance(action, Skip):
            after = conversation_after(conversation, delivery, action, None, now, live_stream_id)
            return self._unsent(delivery, action, now, _changed(name, conversation, after))
        sent = self._send(notification, delivery, situation, action)
        refusal = sent.result.edit_refusal
        if refusal is not None:
            return self._edit_refused(delivery, sent, refusal)
        states: dict[str, Document] = {}
        # After a final failure some recipients may have the message.
        may_be_seen = sent.result.delivered or sent.result.is_final
        if may_be_seen and not delivery.is_test:
            now = self._clock()
            message_id = sent.result.message_id
            after = conversation_after(
                conversation, delivery, action, message_id, now, live_stream_id
            )
            states = _changed(name, conversation, after)
        return self._sent(delivery, sent, states)

    def _send(
        self,
        notification: Notification,
        delivery: Delivery,
        situation: Situation,
        action: Action,
    ) -> Sent:
        sender = self.sender(notification)
        text = text_of(
            notification.template,
            sender,
            delivery.event,
            delivery.event_type,
            situation.details,
            self._clock(),
            is_edit=isinstance(action, Edit),
        )
        message = Message(
            delivery_id=delivery.id,
            text=text,
            edits=action.message_id if isinstance(action, Edit) else None,
            rate=self._store.state(notification.id, _RATE),
            is_test=delivery.is_test,
        )
        return sender.send(notification, message)

    def _edit_refused(self, delivery: Delivery, sent: Sent, refusal: EditRefusal) -> AttemptOutcome:
        """A refused update is skipped. A go-live, or an end if edits are limited, is posted as a
        new message."""
        now = self._clock()
        attempted = Attempted(now, None, _rate(sent), sent.paused_until)
        is_posted = delivery.event_type == ONLINE or (
            delivery.event_type == OFFLINE and refusal is EditRefusal.TOO_MANY
        )
        if is_posted:
            again = replace(delivery, edit_refused=True, next_attempt_at=now)
            return AttemptOutcome(again, attempted)
        return AttemptOutcome(
            finished(delivery, DeliveryStatus.SKIPPED, str(refusal), now), attempted
        )

    # Outcomes

    def _unsent(
        self,
        delivery: Delivery,
        action: Skip | Wait,
        now: datetime,
        states: Mapping[str, Document] | None = None,
    ) -> AttemptOutcome:
        attempted = Attempted(now, states=states or {})
        if isinstance(action, Wait):
            return AttemptOutcome(replace(delivery, next_attempt_at=action.until), attempted)
        skipped = finished(delivery, DeliveryStatus.SKIPPED, action.reason, now)
        return AttemptOutcome(replace(skipped, did_not_last=action.did_not_last), attempted)

    def _sent(
        self, delivery: Delivery, sent: Sent, states: Mapping[str, Document]
    ) -> AttemptOutcome:
        now = self._clock()
        after = after_attempt(delivery, sent.result, now, self._random)
        failed = None if delivery.is_test else not sent.result.delivered
        attempted = Attempted(now, failed, {**states, **_rate(sent)}, sent.paused_until)
        is_gone = sent.result.is_gone and not delivery.is_test
        return AttemptOutcome(after, attempted, is_gone, sent.result.is_final)

    def failed(self, delivery: Delivery, error: Exception) -> AttemptOutcome:
        """The outcome of an attempt that raised an unexpected error."""
        detail = f"StreamWatch failed ({type(error).__name__}); its log says more"
        return self._sent(delivery, Sent(SendResult(delivered=False, detail=detail)), {})


def conversation_name(user_id: str) -> str:
    """The name of the state that holds the conversation about a streamer."""
    return f"streamer:{user_id}"


def _changed(name: str, before: Conversation, after: Conversation) -> dict[str, Document]:
    return {} if after == before else {name: conversation_document(after)}


def _rate(sent: Sent) -> dict[str, Document]:
    return {} if sent.rate is None else {_RATE: sent.rate}
