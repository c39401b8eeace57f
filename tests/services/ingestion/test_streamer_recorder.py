"""Concurrent changes of a streamer's record do not lose each other's updates."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from streamwatch.domain.models import Streamer
from streamwatch.domain.observations import (
    SeenNames,
    StreamerObservation,
    SubscriptionRevoked,
    SubscriptionsReconciled,
    TagsReplaced,
)
from streamwatch.domain.streamers import decide
from streamwatch.services.ingestion.streamer_recorder import RecordedStreamer, StreamerRecorder
from streamwatch.storage.base import Committed, Storage, StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.testing.build import run_concurrently

START = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = ("stream.online", "stream.offline", "channel.update")
RECORD = Streamer(
    "1", "ann", "Ann", START, "old-on", "old-off", "old-secret", "old-update", tags=("first",)
)


def names(login: str, minutes: int) -> SeenNames:
    return SeenNames("1", login, login.title(), START + timedelta(minutes=minutes))


def reconciled(before: Streamer, active: dict[str, str]) -> SubscriptionsReconciled:
    return SubscriptionsReconciled("1", before.subscription_ids, active, (), "new-secret")


OBSERVATIONS = st.one_of(
    st.builds(names, st.sampled_from(["bob", "cat", "dan"]), st.integers(0, 5)),
    st.builds(
        SubscriptionRevoked,
        st.just("1"),
        st.sampled_from(["old-on", "old-off", "old-update", "new-on", "unknown"]),
    ),
    st.builds(
        reconciled,
        st.just(RECORD),
        st.dictionaries(st.sampled_from(KINDS), st.sampled_from(["new-on", "new-2"])),
    ),
    st.builds(TagsReplaced, st.just("1"), st.sampled_from([(), ("fps",), ("fps", "friends")])),
)


class Interleaved:
    """Records observations of concurrent processes: after each read of the record, those that
    `schedule` names are recorded in between, before the reader commits."""

    def __init__(
        self, storage: Storage, waiting: list[StreamerObservation], schedule: list[int]
    ) -> None:
        self._storage = storage
        self._waiting = waiting
        self._schedule = schedule
        self.recorded: list[tuple[StreamerObservation, RecordedStreamer]] = []
        """In the order of the commits."""

    def run(self) -> None:
        while self._waiting:
            self._record_next()

    def streamers_by_id(self, user_ids: Collection[str]) -> dict[str, Streamer]:
        found = self._storage.streamers_by_id(user_ids)
        for _ in range(self._schedule.pop() if self._schedule else 0):
            if self._waiting:
                self._record_next()
        return found

    def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
        return self._storage.commit_streamers(streamers)

    def _record_next(self) -> None:
        observation = self._waiting.pop()
        [result] = StreamerRecorder(self).record([observation])  # type: ignore[arg-type]
        self.recorded.append((observation, result))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    observations=st.lists(OBSERVATIONS, min_size=2, max_size=6),
    schedule=st.lists(st.integers(0, 3), max_size=12),
)
def test_no_update_is_lost_however_reads_and_commits_interleave(
    storage: Storage, observations: list[StreamerObservation], schedule: list[int]
) -> None:
    storage.remove_streamer("1")
    storage.add_streamers([RECORD])
    [expected] = storage.streamers()
    world = Interleaved(storage, list(observations), list(schedule))

    world.run()

    assert len(world.recorded) == len(observations)
    for observation, result in world.recorded:
        if result.after is not None:  # decided on what was there at the moment of the commit
            assert decide(expected, observation) == result.after
            expected = result.after
    assert storage.streamers() == [expected]


def test_updates_of_many_processes_at_once_are_all_stored(storage: Storage) -> None:
    storage.add_streamers([replace(RECORD, online_subscription_id="on", named_at=START)])
    observations: list[StreamerObservation] = [
        SubscriptionRevoked("1", "on"),
        SubscriptionRevoked("1", "old-off"),
        *(names(f"name{minutes}", minutes) for minutes in range(13)),
        TagsReplaced("1", ("fps", "friends")),
    ]

    run_concurrently(16, lambda n: StreamerRecorder(storage).record([observations[n]]))

    [record] = storage.streamers()
    assert (record.login, record.named_at) == ("name12", START + timedelta(minutes=12))
    assert record.tags == ("fps", "friends")
    assert record.subscription_ids == {"channel.update": "old-update"}


def test_observations_of_several_streamers_have_results_in_order(storage: Storage) -> None:
    storage.add_streamers([RECORD, replace(RECORD, user_id="2", login="bob")])
    unknown = SubscriptionRevoked("9", "old-on")
    nothing_new = SubscriptionRevoked("2", "unknown")

    results = StreamerRecorder(storage).record([unknown, names("anna", 1), nothing_new])

    assert results[0] == RecordedStreamer(None, None)
    assert results[1].after == storage.find_streamers(["anna"])["anna"]
    assert results[2].before is not None
    assert results[2].after is None


def test_endless_conflicts_are_an_error() -> None:
    class AlwaysInConflict(MemoryStorage):
        def commit_streamers(self, streamers: Sequence[Streamer]) -> list[Committed]:
            return [Committed.CONFLICT] * len(streamers)

    storage = AlwaysInConflict()
    storage.add_streamers([RECORD])

    with pytest.raises(StorageUnavailable):
        StreamerRecorder(storage).record([names("anna", 1)])
