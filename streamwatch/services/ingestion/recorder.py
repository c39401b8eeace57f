"""Observations into the storage: read, decide, commit, and again where another was faster."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from streamwatch.domain.models import Change, EventType, StreamStatus
from streamwatch.domain.observations import Observation, SeenAbsent, SeenLive, SeenNames
from streamwatch.domain.transitions import decide
from streamwatch.services.ingestion.streamer_recorder import StreamerRecorder
from streamwatch.storage.base import Committed, Lease, Storage, StorageUnavailable

log = logging.getLogger(__name__)

_TRIES = 100
"""Each try loses only to a commit that succeeded, so that many want to change one streamer at once
before this is reached."""


class LeadershipLost(Exception):
    """The lease has passed to another process, which now does this work."""


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """What came of an observation: the status before it and the change that was stored, or None
    where it was nothing new."""

    before: StreamStatus | None
    change: Change | None


class ObservationRecorder:
    """The one way by which anything that is learned about a streamer gets stored."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._streamer_recorder = StreamerRecorder(storage)

    def record(
        self, observations: Sequence[Observation], lease: Lease | None = None
    ) -> list[RecordedChange]:
        """Store what `observations`, each of another user, change; what came of each.

        Raises StorageUnavailable, and LeadershipLost where `lease` is held no more: what was
        stored until then stays.
        """
        results = [RecordedChange(None, None)] * len(observations)
        waiting = dict(enumerate(observations))
        for _ in range(_TRIES):
            waiting = self._attempt(waiting, lease, results)
            if not waiting:
                return results
        raise StorageUnavailable("Too many others change the same streamer.")

    def _attempt(
        self,
        waiting: dict[int, Observation],
        lease: Lease | None,
        results: list[RecordedChange],
    ) -> dict[int, Observation]:
        """Try once for those in `waiting`, by index; those whose status changed meanwhile."""
        statuses = self._storage.statuses([_user_id(item) for item in waiting.values()])
        decided: list[tuple[int, RecordedChange]] = []
        changes: list[Change] = []
        for index, observation in waiting.items():
            before = statuses.get(_user_id(observation))
            change = decide(before, observation)
            if change is not None:
                decided.append((index, RecordedChange(before, change)))
                changes.append(change)
        if not changes:
            return {}
        again: dict[int, Observation] = {}
        for (index, observed), result in zip(
            decided, self._storage.commit(changes, lease), strict=True
        ):
            match result:
                case Committed.STORED:
                    results[index] = observed
                    self._rename(observed)
                    _tell(observed)
                case Committed.CONFLICT:
                    again[index] = waiting[index]
                case Committed.FENCED:
                    raise LeadershipLost
                case Committed.DUPLICATE:
                    pass
        return again

    def _rename(self, observed: RecordedChange) -> None:
        """Let the record of a monitored streamer follow a login that has changed."""
        if observed.change is None or observed.change.previous_login is None:
            return
        status = observed.change.status
        names = SeenNames(status.user_id, status.login, status.display_name, status.last_updated)
        [recorded] = self._streamer_recorder.record([names])
        if recorded.after is not None:
            log.info("Renamed: %s is now %s", observed.change.previous_login, status.login)


def _user_id(observation: Observation) -> str:
    if isinstance(observation, SeenLive | SeenAbsent):
        return observation.user_id
    return observation.event.broadcaster_id


def _tell(observed: RecordedChange) -> None:
    for event in observed.change.events if observed.change else ():
        what = "online" if event.event_type is EventType.ONLINE else "offline"
        log.info(
            "Stream %s: %s (%s)",
            what,
            event.broadcaster_name,
            event.broadcaster_login,
            extra={"event_id": event.id, "source": event.source},
        )
