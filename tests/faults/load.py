"""Streamers who come and go at a steady rate, told by the simulated Twitch: doubled, late, under
two ids, and again wherever nobody acknowledged it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from time import monotonic

from streamwatch.domain.models import EventType
from streamwatch.simulator import Mishap, Simulator
from streamwatch.simulator.world import Happening

MISHAPS = {Mishap.DOUBLED: 0.05, Mishap.ECHOED: 0.05, Mishap.LATE: 0.05}
"""How likely each is. A late message comes after those that tell what happened later."""

RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 16.0, 16.0, 16.0)
"""Twitch publishes none; third parties have seen about five tries within minutes. Here none is
given up: what was never acknowledged could not be told from what was lost."""

LATEST_SECONDS = sum(RETRY_DELAYS)
"""After this a message is acknowledged or given up."""

TranslatedEntry = tuple[EventType, str]
"""What a message told: its type and the stream's id. Each happens once: no stream resumes here."""


@dataclass
class Acknowledged:
    """What was told and answered with 2xx, and how often it was sent."""

    told: set[TranslatedEntry] = field(default_factory=set)
    messages: int = 0
    attempts: int = 0


class Load:
    """`rate` goings on and off a second of so many streamers, until it is stopped.

    There are enough of them that none starts twice within a second, since Twitch tells starts in
    whole seconds, and that none has more under way at once than a timeline keeps.
    """

    def __init__(self, twitch: Simulator, streamers: int, rate: float) -> None:
        self.happened: dict[TranslatedEntry, Happening] = {}
        self._twitch = twitch
        self._rate = rate
        assert rate < 2 * streamers
        users = [twitch.world.add_user(f"Streamer_{number}") for number in range(streamers)]
        self.logins = [user.login for user in users]
        self.user_ids = [user.user_id for user in users]
        twitch.world.listeners.append(self._remember)
        twitch.faults.chances = MISHAPS
        twitch.faults.late_by = 1.5
        twitch.eventsub.courier.retry_delays = RETRY_DELAYS
        twitch.eventsub.failures_allowed = 1000  # that Twitch gives up is not the question here

    @contextmanager
    def running(self) -> Iterator[None]:
        """Streamers come and go between `with` and its end."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopped,), name="load")
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def acknowledged(self) -> Acknowledged:
        """What the simulated Twitch was promised so far."""
        found = Acknowledged()
        known = set()
        for delivery in self._twitch.deliveries:
            event = delivery.message.payload.get("event")
            if event is None:
                continue
            found.attempts += 1
            known.add(delivery.message.id)
            if delivery.is_acknowledged:
                found.told.add((delivery.message.subscription.type, event["id"]))
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

    def _remember(self, happening: Happening) -> None:
        self.happened[happening.type, happening.stream.id] = happening
