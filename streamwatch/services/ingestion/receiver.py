"""Receives EventSub messages: authenticates, parses and stores each, and returns its outcome."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from streamwatch.domain import eventsub
from streamwatch.domain.models import Subscription
from streamwatch.domain.observations import SubscriptionRevoked
from streamwatch.domain.transitions import is_late
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.ingestion.streamer_recorder import StreamerRecorder
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.storage.base import Storage

log = logging.getLogger(__name__)


class MessageOutcome(StrEnum):
    """What became of a message."""

    ACCEPTED = "accepted"
    LATE = "late"
    """Added to the history; the status was newer already."""
    DUPLICATE = "duplicate"
    VERIFIED = "verified"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Received:
    """The outcome of a message, and the challenge to answer a verification with."""

    outcome: MessageOutcome
    challenge: str | None = None


class MessageReceiver:
    """Receives EventSub messages. When a method returns, the message is stored durably."""

    def __init__(
        self,
        storage: Storage,
        recorder: ObservationRecorder,
        secrets: Sequence[str],
        clock: Callable[[], datetime],
        observe_message: Callable[[datetime], None],
    ) -> None:
        """`observe_message` is called with the timestamp of each event that arrived by webhook."""
        self._storage = storage
        self._recorder = recorder
        self._streamer_recorder = StreamerRecorder(storage)
        self._secrets = secrets
        self._clock = clock
        self._observe_message = observe_message

    def receive(self, headers: Mapping[str, str], body: bytes) -> Received:
        """Authenticate, parse and store one message.

        Raises EventSubError if the message is refused, and StorageUnavailable if it could not be
        stored: Twitch then sends it again.
        """
        message = eventsub.parse(headers, body, self._secrets, self._clock())
        if isinstance(message, eventsub.Notification):
            self._observe_message(message.observation.event.timestamp)
        return self.process(message)

    def process(self, message: eventsub.Message) -> Received:
        """Store one authenticated message, however it arrived. Raises StorageUnavailable."""
        match message:
            case eventsub.Verification(challenge):
                log.info("Answered Twitch's challenge")
                return Received(MessageOutcome.VERIFIED, challenge)
            case eventsub.Unknown(description):
                log.warning("Ignored a message of %s", description)
                return Received(MessageOutcome.UNKNOWN)
            case eventsub.Revocation():
                self._revoke(message.subscription)
                return Received(MessageOutcome.REVOKED)
            case eventsub.Notification():
                return Received(self._record_notification(message))

    def _record_notification(self, message: eventsub.Notification) -> MessageOutcome:
        [recorded] = self._recorder.record([message.observation])
        if recorded.change is None or not recorded.change.events:
            log.info("Duplicate message", extra={"message_id": message.message_id})
            return MessageOutcome.DUPLICATE
        late = is_late(recorded.before, recorded.change)
        return MessageOutcome.LATE if late else MessageOutcome.ACCEPTED

    def _revoke(self, revoked: Subscription) -> None:
        """Record the end of the subscription, and request a reconciliation to replace it."""
        log.warning("Twitch revoked %s: %s", revoked.type, revoked.status)
        observation = SubscriptionRevoked(revoked.user_id or "", revoked.id)
        [recorded] = self._streamer_recorder.record([observation])
        if recorded.before is not None:
            self._storage.coordination.request_job(RECONCILE)
