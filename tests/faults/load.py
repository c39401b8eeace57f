"""Streamers who go online and offline at a steady rate. The simulated Twitch sends each message,
and also doubles some, delays some, sends some under two ids, and retries what was not
acknowledged."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from time import monotonic

from streamwatch.domain.models import EventType
from streamwatch.simulator import MessageFault, Simulator
from streamwatch.simulator.world import StreamChange

MESSAGE_FAULTS = {MessageFault.DOUBLED: 0.05, MessageFault.ECHOED: 0.05, MessageFault.LATE: 0.05}
"""The probability of each. A late message arrives after messages about later events."""

RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0, 16.0)
"""Twitch publishes no delays; third parties saw about five tries within minutes. Here the simulator
keeps trying until a message is acknowledged, so that a missing event is certainly a lost one."""

LATEST_SECONDS = sum(RETRY_DELAYS)
"""Seconds after which every message has been acknowledged or given up."""

Transition = tuple[EventType, str]
"""The type of a message and its stream id. Each pair occurs once: no stream resumes in this
load."""


@dataclass
class Acknowledged:
    """Transitions whose message was answered with 2xx; the numbers of messages and of
    deliveries."""

    transitions: set[Transition] = field(default_factory=set)
    messages: int = 0
    attempts: int = 0


class Load:
    """`rate` transitions a second of `streamers` streamers, until it is stopped.

    There are enough streamers that none starts twice within a second, since Twitch gives start
    times in whole seconds, and that none has more messages in flight than a timeline holds.
    """

    def __init__(self, twitch: Simulator, streamers: int, rate: float) -> None:
        self.happened: dict[Transition, StreamChange] = {}
        self._twitch = twitch
        self._rate = rate
        assert rate < 2 * streamers
        users = [twitch.world.add_user(f"Streamer_{number}") for number in range(streamers)]
        self.logins = [user.login for user in users]
        self.user_ids = [user.user_id for user in users]
        twitch.world.listeners.append(self._record)
        twitch.faults.chances = MESSAGE_FAULTS
        twitch.faults.late_by = 1.5
        twitch.eventsub.webhook_sender.retry_delays = RETRY_DELAYS
        twitch.eventsub.failures_allowed = 1000  # do not revoke

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep up the load for as long as the context lasts."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopped,), name="load")
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def acknowledged(self) -> Acknowledged:
        """What has been acknowledged to the simulated Twitch so far."""
        found = Acknowledged()
        known = set()
        for delivery in self._twitch.deliveries:
            event = delivery.message.payload.get("event")
            if event is None:
                continue
            found.attempts += 1
            known.add(delivery.message.id)
            if delivery.is_acknowledged:
                kind = EventType(delivery.message.subscription.type)
                found.transitions.add((kind, event["id"]))
        found.messages = len(known)
        return found

    def _run(self, stopped: threading.Event) -> None:
        due = monotonic()
        for login in cycle(self.logins):
            due += 1 / self._rate
            if stopped.wait(max(0.0, due - monotonic())):
                return
            if self._twitch.world.stream(login):
                self._twitch.world.go_offline(login)
            else:
                self._twitch.world.go_online(login)

    def _record(self, change: StreamChange) -> None:
        self.happened[change.type, change.stream.id] = change
