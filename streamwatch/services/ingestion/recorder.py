"""Records observations: read the status, decide, commit, and repeat on a conflict."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from streamwatch.domain.models import Change, EventType, StreamStatus
from streamwatch.domain.observations import Observation, SeenNames, user_id_of
from streamwatch.domain.transitions import decide
from streamwatch.services.ingestion.conflicts import repeat_on_conflict
from streamwatch.services.ingestion.streamer_recorder import StreamerRecorder
from streamwatch.storage.base import Committed, Lease, Storage

log = logging.getLogger(__name__)

_CHANGES = {EventType.ONLINE: "online", EventType.OFFLINE: "offline", EventType.UPDATE: "updated"}
"""What log lines call the events."""


class LeadershipLost(Exception):
    """The lease has passed to another process, which now does this work."""


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """The result of an observation: the status before it, and the change that was stored. Both are
    None where the observation changed nothing."""

    before: StreamStatus | None
    change: Change | None


class ObservationRecorder:
    """Stores what observations change. No other code writes statuses or the history."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._streamer_recorder = StreamerRecorder(storage)

    def record(
        self, observations: Sequence[Observation], lease: Lease | None = None
    ) -> list[RecordedChange]:
        """Store the changes of `observations`, each of a different user. Returns a result for each.

        Raises StorageUnavailable, and LeadershipLost where `lease` has been lost. Changes that were
        stored before the error remain.
        """
        results = [RecordedChange(None, None)] * len(observations)
        repeat_on_conflict(
            lambda waiting: self._attempt(waiting, lease, results), dict(enumerate(observations))
        )
        return results

    def _attempt(
        self,
        waiting: dict[int, Observation],
        lease: Lease | None,
        results: list[RecordedChange],
    ) -> dict[int, Observation]:
        """Try once to store `waiting`, by index. Returns those whose status changed meanwhile."""
        statuses = self._storage.statuses([user_id_of(item) for item in waiting.values()])
        decided: list[tuple[int, RecordedChange]] = []
        changes: list[Change] = []
        for index, observation in waiting.items():
            before = statuses.get(user_id_of(observation))
            change = decide(before, observation)
            if change is not None:
                decided.append((index, RecordedChange(before, change)))
                changes.append(change)
        if not changes:
            return {}
        # Before the commit: names that it has stored are no longer a change for the next poll.
        self._rename(changes)
        conflicts: dict[int, Observation] = {}
        for (index, recorded), result in zip(
            decided, self._storage.commit(changes, lease), strict=True
        ):
            match result:
                case Committed.STORED:
                    results[index] = recorded
                    _log(recorded)
                case Committed.CONFLICT:
                    conflicts[index] = waiting[index]
                case Committed.FENCED:
                    raise LeadershipLost
                case Committed.DUPLICATE:
                    pass
        return conflicts

    def _rename(self, changes: Sequence[Change]) -> None:
        """Copy changed names to the records of monitored streamers."""
        seen = [
            SeenNames(names.user_id, names.login, names.display_name, names.at)
            for change in changes
            if (names := change.name_change) is not None
        ]
        for renamed in self._streamer_recorder.record(seen) if seen else ():
            before, after = renamed.before, renamed.after
            if before is not None and after is not None and before.login != after.login:
                log.info("Renamed: %s is now %s", before.login, after.login)


def _log(recorded: RecordedChange) -> None:
    for event in recorded.change.events if recorded.change else ():
        log.info(
            "Stream %s: %s (%s)",
            _CHANGES[event.event_type],
            event.broadcaster_name,
            event.broadcaster_login,
            extra={"event_id": event.id, "source": event.source},
        )
