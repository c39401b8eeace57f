"""A report for troubleshooting: the state of all processes, the feed and Twitch."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from streamwatch.services.locks import LEADER_LEASE
from streamwatch.services.monitoring.counters import SharedCounters
from streamwatch.services.subscriptions.eventsub_state import EventSubState, eventsub_state
from streamwatch.services.subscriptions.transport import Method
from streamwatch.storage.base import DeadLetter, JobRun, Lease, ReaderState, Storage
from streamwatch.twitch.base import RateLimitState, Twitch, TwitchError

_MAX_DEAD_LETTERS = 20


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The report. `messages` are counts by outcome, `set_aside` the newest dead letters, and
    `subscriptions` counts by Twitch's status. If Twitch did not list the subscriptions, they are
    empty and `twitch_error` has the reason."""

    messages: dict[str, int]
    feed_length: int
    readers: list[ReaderState]
    set_aside: list[DeadLetter]
    leader: Lease | None
    last_heartbeat: datetime | None
    jobs: list[JobRun]
    subscriptions: dict[str, int]
    helix: RateLimitState | None
    twitch_error: str | None
    method: Method
    eventsub: EventSubState
    clock_offset: timedelta
    """Twitch's time minus the time of this machine, as far as this process knows."""


class Diagnostics:
    """Builds the report from the storage and Twitch."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        messages: SharedCounters,
        method: Method,
        clock_offset: Callable[[], timedelta],
    ) -> None:
        """`method` is how events arrive. `clock_offset` is that of the corrected clock."""
        self._method = method
        self._storage = storage
        self._twitch = twitch
        self._messages = messages
        self._clock_offset = clock_offset

    def diagnose(self) -> Diagnosis:
        """Build the report. Makes one Helix call for each 100 subscriptions."""
        feed, coordination = self._storage.feed, self._storage.coordination
        readers = feed.readers()
        set_aside = [entry for reader in readers for entry in feed.dead_letters(reader.name)]
        subscriptions, error = self._subscriptions()
        return Diagnosis(
            messages=self._messages.shared(),
            feed_length=feed.length(),
            readers=readers,
            set_aside=sorted(set_aside, key=lambda entry: entry.at)[: -_MAX_DEAD_LETTERS - 1 : -1],
            leader=coordination.lease(LEADER_LEASE),
            last_heartbeat=coordination.last_heartbeat(),
            jobs=sorted(coordination.job_runs().values(), key=lambda run: run.name),
            subscriptions=subscriptions,
            helix=self._twitch.rate_limit(),
            twitch_error=error,
            method=self._method,
            eventsub=eventsub_state(coordination),
            clock_offset=self._clock_offset(),
        )

    def _subscriptions(self) -> tuple[dict[str, int], str | None]:
        try:
            listing = self._twitch.subscriptions()
        except TwitchError as error:
            return {}, str(error)
        return dict(Counter(subscription.status for subscription in listing.subscriptions)), None
