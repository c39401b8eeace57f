"""Faults of Twitch, on command or by chance."""

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random


class MessageType(StrEnum):
    """The types of EventSub messages."""

    NOTIFICATION = "notification"
    VERIFICATION = "webhook_callback_verification"
    REVOCATION = "revocation"


class MessageFault(StrEnum):
    """Faults of a message."""

    DROPPED = "dropped"
    """Never sent."""
    DOUBLED = "doubled"
    """Sent twice with the same message id."""
    ECHOED = "echoed"
    """Sent twice with different message ids."""
    LATE = "late"
    """Sent `Faults.late_by` seconds after its timestamp."""
    FORGED = "forged"
    """Signed with another secret; by webhook only."""


@dataclass(frozen=True, slots=True)
class CallFault:
    """A fault of one Helix call: after `delay` seconds it responds with `status`, with the right
    response (None), or with every second item of it (`half`). A 429 announces a full bucket in
    `reset_in` seconds."""

    status: int | None = None
    delay: float = 0.0
    reset_in: float = 1.0
    half: bool = False


class Faults:
    """There are no faults until a test or the demo asks for them."""

    def __init__(self, random: Random) -> None:
        self.helix_lag = timedelta(0)
        """How much later than EventSub Helix shows that a stream started or ended."""
        self.nameless_offline = False
        """Whether `stream.offline` omits the stream's id, as before June 2026."""
        self.late_by = 3.0
        self.chances: dict[MessageFault, float] = {}
        """The probability of each fault for notifications without one on command."""
        self._random = random
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[CallFault | None]] = defaultdict(deque)
        self._message_faults: defaultdict[MessageType, deque[MessageFault]] = defaultdict(deque)

    def on_call(self, path: str, fault: CallFault, *, times: int = 1, after: int = 0) -> None:
        """Apply `fault` to the next `times` calls of `path` (such as "/helix/streams"), after
        `after` calls without a fault."""
        with self._lock:
            self._calls[path].extend([None] * after + [fault] * times)

    def on_message(
        self, fault: MessageFault, *, times: int = 1, kind: MessageType = MessageType.NOTIFICATION
    ) -> None:
        """Apply `fault` to the next `times` messages of `kind`."""
        with self._lock:
            self._message_faults[kind].extend([fault] * times)

    def of_call(self, path: str) -> CallFault:
        """The fault of the call of `path` that has just arrived."""
        with self._lock:
            queue = self._calls[path]
            return (queue.popleft() if queue else None) or CallFault()

    def of_message(self, kind: MessageType) -> MessageFault | None:
        """The fault of the message of `kind` that is about to be sent."""
        with self._lock:
            if self._message_faults[kind]:
                return self._message_faults[kind].popleft()
            if kind is MessageType.NOTIFICATION:
                return self._by_chance()
            return None

    def _by_chance(self) -> MessageFault | None:
        drawn = self._random.random()
        for fault, chance in self.chances.items():
            drawn -= chance
            if drawn < 0:
                return fault
        return None
