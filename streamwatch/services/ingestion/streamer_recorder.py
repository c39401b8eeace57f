"""Records observations in the records of streamers: read, decide, commit, repeat on a conflict."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamwatch.domain.models import Streamer
from streamwatch.domain.observations import StreamerObservation
from streamwatch.domain.streamers import decide
from streamwatch.services.ingestion.conflicts import repeat_on_conflict
from streamwatch.storage.base import Committed, Storage


@dataclass(frozen=True, slots=True)
class RecordedStreamer:
    """The record before an observation, None for a user who is not monitored, and the record that
    was stored, None if the observation changed nothing."""

    before: Streamer | None
    after: Streamer | None


class StreamerRecorder:
    """Applies observations to the records of monitored streamers. No other code changes a record
    after it was added."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def record(self, observations: Sequence[StreamerObservation]) -> list[RecordedStreamer]:
        """Apply `observations`, each of a different user. Returns a result for each, in order.

        Raises StorageUnavailable. Changes that were stored before the error remain.
        """
        results = [RecordedStreamer(None, None)] * len(observations)
        repeat_on_conflict(
            lambda waiting: self._attempt(observations, waiting, results),
            list(range(len(observations))),
        )
        return results

    def _attempt(
        self,
        observations: Sequence[StreamerObservation],
        waiting: list[int],
        results: list[RecordedStreamer],
    ) -> list[int]:
        """Try once to apply the observations with the indexes `waiting`. Returns the indexes of
        those that conflicted with another change."""
        user_ids = [observations[index].user_id for index in waiting]
        known = self._storage.streamers_by_id(user_ids)
        changed: list[int] = []
        records: list[Streamer] = []
        for index in waiting:
            before = known.get(observations[index].user_id)
            after = decide(before, observations[index]) if before else None
            results[index] = RecordedStreamer(before, after)
            if after is not None:
                changed.append(index)
                records.append(after)
        if not records:
            return []
        committed = self._storage.commit_streamers(records)
        return [
            index
            for index, result in zip(changed, committed, strict=True)
            if result is Committed.CONFLICT
        ]
