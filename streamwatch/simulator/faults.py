"""What goes wrong, on command or by chance."""

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


class Mishap(StrEnum):
    """What can happen to a message on its way."""

    DROPPED = "dropped"  # never sent
    DOUBLED = "doubled"  # sent again although it was acknowledged
    ECHOED = "echoed"  # the same event again, under another message id
    LATE = "late"  # sent `Faults.late_by` seconds after its timestamp
    FORGED = "forged"  # signed with another secret


@dataclass(frozen=True, slots=True)
class CallFault:
    """What happens to one call of Helix: after `delay` seconds it is answered with `status`, with
    the right answer (None), or with every second entry of it (`half`). A 429 says that the bucket
    is full in `reset_in` seconds."""

    status: int | None = None
    delay: float = 0.0
    reset_in: float = 1.0
    half: bool = False


class Faults:
    """Everything is right until a test or the demo says otherwise."""

    def __init__(self, random: Random) -> None:
        self.helix_lag = timedelta(0)
        """How much later than the webhooks Helix shows that a stream went on or off."""
        self.nameless_offline = False
        """Whether `stream.offline` leaves out the stream's id, as before June 2026."""
        self.late_by = 3.0
        self.chances: dict[Mishap, float] = {}
        """How likely each mishap is for a notification that has none on command."""
        self._random = random
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[CallFault | None]] = defaultdict(deque)
        self._mishaps: defaultdict[MessageType, deque[Mishap]] = defaultdict(deque)

    def on_call(self, path: str, fault: CallFault, *, times: int = 1, after: int = 0) -> None:
        """`fault` for the next `times` calls of `path` (as in "/helix/streams"), once `after` calls
        have gone well."""
        with self._lock:
            self._calls[path].extend([None] * after + [fault] * times)

    def on_message(
        self, mishap: Mishap, *, times: int = 1, kind: MessageType = MessageType.NOTIFICATION
    ) -> None:
        """`mishap` for the next `times` messages of `kind`."""
        with self._lock:
            self._mishaps[kind].extend([mishap] * times)

    def of_call(self, path: str) -> CallFault:
        """What happens to the call of `path` that has just come."""
        with self._lock:
            queue = self._calls[path]
            return (queue.popleft() if queue else None) or CallFault()

    def of_message(self, kind: MessageType) -> Mishap | None:
        """What happens to the message of `kind` that is about to be sent."""
        with self._lock:
            if self._mishaps[kind]:
                return self._mishaps[kind].popleft()
            if kind is MessageType.NOTIFICATION:
                return self._by_chance()
            return None

    def _by_chance(self) -> Mishap | None:
        drawn = self._random.random()
        for mishap, chance in self.chances.items():
            drawn -= chance
            if drawn < 0:
                return mishap
        return None
