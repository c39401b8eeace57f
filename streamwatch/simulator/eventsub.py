"""What Twitch tells of streams and subscriptions, and what it makes of the answers."""

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from streamwatch.domain.models import EventType
from streamwatch.domain.times import format_time
from streamwatch.simulator.courier import Courier, Delivery, Message
from streamwatch.simulator.faults import Faults, MessageType, Mishap
from streamwatch.simulator.subscriptions import (
    ENABLED,
    PENDING,
    TOO_MANY_FAILURES,
    VERIFICATION_FAILED,
    Subscription,
    Subscriptions,
)
from streamwatch.simulator.web import Document
from streamwatch.simulator.world import Happening


class EventSub:
    """Challenges new subscriptions, notifies of what happens, revokes. A message that is not
    acknowledged is sent again as the courier's `retry_delays` say, and then given up; a
    subscription with `failures_allowed` messages given up in a row fails at the next one."""

    def __init__(
        self, subscriptions: Subscriptions, faults: Faults, clock: Callable[[], datetime]
    ) -> None:
        self.courier = Courier(self._is_wanted, self._answered)
        self.failures_allowed = 3
        self._subscriptions = subscriptions
        self._faults = faults
        self._clock = clock

    def subscribe(self, wanted: Any) -> Document:
        """Create a subscription, as it stands before its callback has answered the challenge."""
        subscription = self._subscriptions.create(wanted)
        pending = subscription.document()
        payload = {"challenge": secrets.token_urlsafe(24), "subscription": pending}
        self._send(MessageType.VERIFICATION, subscription, payload, self._clock())
        return pending

    def notify(self, happening: Happening) -> None:
        """Tell all who subscribed to it."""
        event = self._event(happening)
        user_id = happening.user.user_id
        for subscription in self._subscriptions.enabled(happening.type, user_id):
            payload = {"subscription": subscription.document(), "event": event}
            self._send(MessageType.NOTIFICATION, subscription, payload, happening.at)

    def revoke(self, subscription: Subscription, status: str = "authorization_revoked") -> None:
        """End a subscription and say so to its callback."""
        subscription.status = status
        payload = {"subscription": subscription.document()}
        self._send(MessageType.REVOCATION, subscription, payload, self._clock())

    def _event(self, happening: Happening) -> Document:
        event: Document = {
            "broadcaster_user_id": happening.user.user_id,
            "broadcaster_user_login": happening.user.login,
            "broadcaster_user_name": happening.user.display_name,
        }
        if happening.type is EventType.ONLINE:
            started_at = format_time(happening.stream.started_at)
            return {"id": happening.stream.id, **event, "type": "live", "started_at": started_at}
        return event if self._faults.nameless_offline else {"id": happening.stream.id, **event}

    def _send(
        self, kind: MessageType, subscription: Subscription, payload: Document, at: datetime
    ) -> None:
        mishap = self._faults.of_message(kind)
        if mishap is Mishap.DROPPED:
            return
        forged = mishap is Mishap.FORGED
        message = Message(str(uuid.uuid4()), kind, subscription, at, payload, forged)
        self.courier.send(message, after=self._faults.late_by if mishap is Mishap.LATE else 0)
        if mishap is Mishap.DOUBLED:
            self.courier.send(message)
        if mishap is Mishap.ECHOED:
            self.courier.send(Message(str(uuid.uuid4()), kind, subscription, at, payload))

    def _is_wanted(self, message: Message) -> bool:
        """Whether the subscription still stands; a revocation is told because it does not."""
        subscription = message.subscription
        is_kept = self._subscriptions.get(subscription.id) is not None
        return is_kept and (subscription.is_living or message.type is MessageType.REVOCATION)

    def _answered(self, delivery: Delivery) -> bool:
        """Draw the conclusions; whether to send the message again."""
        message, subscription = delivery.message, delivery.message.subscription
        if message.type is MessageType.VERIFICATION:
            self._verify(delivery)
            return False
        if delivery.is_acknowledged:
            subscription.failures = 0
            return False
        if delivery.retry < len(self.courier.retry_delays):
            return True
        self._give_up(subscription)
        return False

    def _verify(self, delivery: Delivery) -> None:
        subscription = delivery.message.subscription
        challenge = delivery.message.payload["challenge"].encode()
        is_right = (delivery.status, delivery.body) == (200, challenge)
        if subscription.status == PENDING:
            subscription.status = ENABLED if is_right else VERIFICATION_FAILED

    def _give_up(self, subscription: Subscription) -> None:
        subscription.failures += 1
        if subscription.status == ENABLED and subscription.failures > self.failures_allowed:
            self.revoke(subscription, TOO_MANY_FAILURES)
