"""Sends EventSub messages by webhook or WebSocket, and handles the responses of webhooks."""

import secrets
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from streamwatch.domain.models import EventType, User
from streamwatch.domain.times import format_time
from streamwatch.simulator.conduits import Conduits
from streamwatch.simulator.faults import Faults, MessageFault, MessageType
from streamwatch.simulator.sockets import Sockets
from streamwatch.simulator.subscriptions import (
    ENABLED,
    PENDING,
    TOO_MANY_FAILURES,
    VERIFICATION_FAILED,
    Subscription,
    Subscriptions,
)
from streamwatch.simulator.web import Document
from streamwatch.simulator.webhook_sender import Delivery, Message, WebhookSender
from streamwatch.simulator.world import ChannelUpdate, StreamChange


class EventSub:
    """Verifies webhooks, sends notifications and revocations. A webhook message that is not
    acknowledged is retried after the `retry_delays` of `webhook_sender`, and then given up; after
    more than `failures_allowed` consecutive messages were given up, the subscription is revoked.
    Nothing is retried over a WebSocket."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        conduits: Conduits,
        sockets: Sockets,
        faults: Faults,
        clock: Callable[[], datetime],
    ) -> None:
        self.webhook_sender = WebhookSender(self._is_wanted, self._answered)
        self.failures_allowed = 3
        self._subscriptions = subscriptions
        self._conduits = conduits
        self._sockets = sockets
        self._faults = faults
        self._clock = clock

    def subscribe(self, wanted: Any) -> Document:
        """Create a subscription. A webhook is pending until it has answered the challenge."""
        subscription = self._subscriptions.create(wanted)
        pending = subscription.document()
        if subscription.conduit_id is not None:
            return pending
        payload = {"challenge": secrets.token_urlsafe(24), "subscription": pending}
        self._send(MessageType.VERIFICATION, subscription, payload, self._clock())
        return pending

    def notify(self, change: StreamChange) -> None:
        """Notify the subscriptions to the start or end of a stream."""
        self._notify(change.type, change.user.user_id, self._event(change), change.at)

    def notify_update(self, update: ChannelUpdate) -> None:
        """Notify the subscriptions to a channel's updates."""
        channel = update.channel
        event = {
            **_broadcaster(update.user),
            "title": channel.title,
            "language": channel.language,
            "category_id": channel.category_id,
            "category_name": channel.category,
            "content_classification_labels": [],
        }
        self._notify("channel.update", update.user.user_id, event, update.at)

    def revoke(self, subscription: Subscription, status: str = "authorization_revoked") -> None:
        """Revoke a subscription and send the revocation."""
        subscription.status = status
        payload = {"subscription": subscription.document()}
        self._send(MessageType.REVOCATION, subscription, payload, self._clock())

    def _notify(self, kind: str, user_id: str, event: Document, at: datetime) -> None:
        for subscription in self._subscriptions.enabled(kind, user_id):
            payload = {"subscription": subscription.document(), "event": event}
            self._send(MessageType.NOTIFICATION, subscription, payload, at)

    def _event(self, change: StreamChange) -> Document:
        event = _broadcaster(change.user)
        if change.type is EventType.ONLINE:
            started_at = format_time(change.stream.started_at)
            return {"id": change.stream.id, **event, "type": "live", "started_at": started_at}
        return event if self._faults.nameless_offline else {"id": change.stream.id, **event}

    def _send(
        self, kind: MessageType, subscription: Subscription, payload: Document, at: datetime
    ) -> None:
        fault = self._faults.of_message(kind)
        if fault is MessageFault.DROPPED:
            return
        forged = fault is MessageFault.FORGED
        message = Message(str(uuid.uuid4()), kind, subscription, at, payload, forged)
        self._dispatch(message, after=self._faults.late_by if fault is MessageFault.LATE else 0)
        if fault is MessageFault.DOUBLED:
            self._dispatch(message)
        if fault is MessageFault.ECHOED:
            self._dispatch(Message(str(uuid.uuid4()), kind, subscription, at, payload))

    def _dispatch(self, message: Message, after: float = 0.0) -> None:
        """Deliver a message on its subscription's transport, `after` seconds from now."""
        if message.subscription.conduit_id is None:
            self.webhook_sender.send(message, after=after)
        elif after:
            timer = threading.Timer(after, self._send_to_shard, [message])
            timer.daemon = True
            timer.start()
        else:
            self._send_to_shard(message)

    def _send_to_shard(self, message: Message) -> None:
        """Deliver through the conduit. Without an enabled shard the message is lost."""
        subscription = message.subscription
        session_id = self._conduits.session_for(subscription.conduit_id or "", subscription.user_id)
        if session_id is not None and self._is_wanted(message):
            self._sockets.send(session_id, message.socket_document())

    def _is_wanted(self, message: Message) -> bool:
        """Whether the subscription is still active; a revocation is sent because it is not."""
        subscription = message.subscription
        is_kept = self._subscriptions.get(subscription.id) is not None
        return is_kept and (subscription.is_active or message.type is MessageType.REVOCATION)

    def _answered(self, delivery: Delivery) -> bool:
        """Handle the response of a webhook; whether to retry."""
        message, subscription = delivery.message, delivery.message.subscription
        if message.type is MessageType.VERIFICATION:
            self._verify(delivery)
            return False
        if delivery.is_acknowledged:
            subscription.failures = 0
            return False
        if delivery.retry < len(self.webhook_sender.retry_delays):
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


def _broadcaster(user: User) -> Document:
    return {
        "broadcaster_user_id": user.user_id,
        "broadcaster_user_login": user.login,
        "broadcaster_user_name": user.display_name,
    }
