"""Live data from Helix: everyone every few minutes, and at once what a webhook does not carry."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from streamwatch.domain.batches import batched
from streamwatch.domain.models import Source
from streamwatch.domain.observations import Observation, SeenAbsent
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.storage.base import Lease, Storage
from streamwatch.twitch.base import MAX_IDS_PER_CALL, Twitch, TwitchUnavailable

log = logging.getLogger(__name__)

REFRESH = "refresh"
"""The job that asks for everyone."""

_DETAILS_PATIENCE = timedelta(minutes=10)
"""How long a stream that Helix does not show yet is asked for; then the next refresh finds it."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """How many streamers were asked for, and how many of them are live; `failed` were not
    answered."""

    asked: int
    live: int
    failed: int


class Poller:
    """Polls Get Streams."""

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        recorder: ObservationRecorder,
        clock: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._twitch = twitch
        self._recorder = recorder
        self._clock = clock

    def poll_all(self, lease: Lease | None = None) -> PollResult:
        """Ask for all who are monitored, and for whoever else is held to be live.

        A batch that Twitch does not answer changes nothing; if it answers none, TwitchUnavailable
        is raised.
        """
        users = {
            streamer.user_id: (streamer.login, streamer.display_name)
            for streamer in self._storage.streamers()
        } | {status.user_id: (status.login, status.display_name) for status in self._storage.live()}
        live = failed = 0
        error: TwitchUnavailable | None = None
        for batch in batched(users, MAX_IDS_PER_CALL):
            try:
                live += self._poll({user_id: users[user_id] for user_id in batch}, lease)
            except TwitchUnavailable as problem:
                error = problem
                failed += len(batch)
                log.warning("Live data of %d streamers not refreshed: %s", len(batch), problem)
        if error is not None and failed == len(users):
            raise error
        return PollResult(len(users), live, failed)

    def fetch_details(self, lease: Lease | None = None) -> int:
        """Fetch what the webhook did not carry for streams that just went live; for how many."""
        newest = self._clock() - _DETAILS_PATIENCE
        waiting = [
            user_id for user_id, at in self._storage.awaiting_details().items() if at >= newest
        ]
        found = 0
        for batch in batched(waiting, MAX_IDS_PER_CALL):
            seen = self._twitch.streams(batch)
            self._recorder.record(seen, lease)
            found += len(seen)
        return found

    def poll_now(self, user_ids: Collection[str]) -> None:
        """See now whether these monitored streamers are live."""
        for batch in batched(self._storage.streamers_by_id(user_ids).values(), MAX_IDS_PER_CALL):
            users = {item.user_id: (item.login, item.display_name) for item in batch}
            self._poll(users, None, Source.LOOKUP)

    def _poll(
        self,
        users: dict[str, tuple[str, str]],
        lease: Lease | None,
        source: Source = Source.POLL,
    ) -> int:
        """Observe these users, by id their login and display name; how many are live."""
        asked_at = self._clock()
        observations: dict[str, Observation] = {
            user_id: SeenAbsent(user_id, login, name, asked_at)
            for user_id, (login, name) in users.items()
        }
        seen = self._twitch.streams(list(users))
        observations |= {item.user_id: replace(item, source=source) for item in seen}
        self._recorder.record(list(observations.values()), lease)
        return len(seen)
