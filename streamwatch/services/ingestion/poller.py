"""Polls Get Streams: all streamers every few minutes, and new streams at once for their details."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from streamwatch.domain.batches import batched
from streamwatch.domain.models import Source
from streamwatch.domain.observations import MIN_ABSENCE, Observation, SeenAbsent
from streamwatch.services.ingestion.recorder import ObservationRecorder
from streamwatch.services.twitch_batches import call_in_batches
from streamwatch.storage.base import Lease, Storage
from streamwatch.twitch.base import MAX_IDS_PER_CALL, Twitch

REFRESH = "refresh"
"""The job that polls all streamers."""

MAX_DETAILS_DELAY = timedelta(minutes=10)
"""For how long the details of a new stream are requested. After that the next refresh gets them."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """The number of streamers that were requested, and how many of them are live. `failed` is the
    number of those for which Twitch did not answer."""

    asked: int
    live: int
    failed: int


class Poller:
    """Polls Get Streams.

    Two absences end a stream if half of `refresh_seconds`, at least MIN_ABSENCE, lies between them.
    Refreshes that follow each other faster, for instance after bulk adds, count once.
    """

    def __init__(
        self,
        storage: Storage,
        twitch: Twitch,
        recorder: ObservationRecorder,
        clock: Callable[[], datetime],
        refresh_seconds: float,
    ) -> None:
        self._storage = storage
        self._twitch = twitch
        self._recorder = recorder
        self._clock = clock
        self._confirm_after = max(MIN_ABSENCE, timedelta(seconds=refresh_seconds / 2))

    def poll_all(self, lease: Lease | None = None) -> PollResult:
        """Poll all monitored streamers, and others whose status is live.

        A batch that Twitch does not answer, or refuses, changes nothing. Raises TwitchError if it
        answers none, after MAX_FAILURES in a row that it does not answer, and at once if the
        credentials are refused.
        """
        users = {
            streamer.user_id: (streamer.login, streamer.display_name)
            for streamer in self._storage.streamers()
        } | {status.user_id: (status.login, status.display_name) for status in self._storage.live()}
        result = call_in_batches(
            "Refreshing the live data",
            users,
            lambda batch: self._poll({user_id: users[user_id] for user_id in batch}, lease),
        )
        return PollResult(len(users), live=result.total, failed=result.failed)

    def fetch_details(self, lease: Lease | None = None) -> int:
        """Fetch the details of new streams, which messages do not have. Returns how many of these
        streams Twitch listed. Fails as `poll_all` does."""
        oldest = self._clock() - MAX_DETAILS_DELAY
        waiting = [
            user_id for user_id, at in self._storage.awaiting_details().items() if at >= oldest
        ]

        def fetch(user_ids: list[str]) -> int:
            seen = self._twitch.streams(user_ids).seen
            self._recorder.record(seen, lease)
            return len(seen)

        return call_in_batches("Fetching the details", waiting, fetch).total

    def poll_now(self, user_ids: Collection[str]) -> None:
        """Poll those of `user_ids` who are monitored."""
        for batch in batched(self._storage.streamers_by_id(user_ids).values(), MAX_IDS_PER_CALL):
            users = {item.user_id: (item.login, item.display_name) for item in batch}
            self._poll(users, None, Source.LOOKUP)

    def _poll(
        self,
        users: dict[str, tuple[str, str]],
        lease: Lease | None,
        source: Source = Source.POLL,
    ) -> int:
        """Poll `users`, login and display name by user id. Returns how many are live. A user whose
        stream is not readable is neither live nor absent."""
        asked_at = self._clock()
        answer = self._twitch.streams(list(users))
        asked_at = min(asked_at, self._clock())  # the answer may have set the clock back
        observations: dict[str, Observation] = {
            user_id: SeenAbsent(user_id, login, name, asked_at, self._confirm_after)
            for user_id, (login, name) in users.items()
            if user_id not in answer.unreadable
        }
        observations |= {item.user_id: replace(item, source=source) for item in answer.seen}
        self._recorder.record(list(observations.values()), lease)
        return len(answer.seen)
