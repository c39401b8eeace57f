from collections.abc import Mapping
from threading import Timer
from threading import enumerate as threads

from streamwatch.services.monitoring.counters import MESSAGES, SharedCounters
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from tests.waiting import wait_for


def test_counts_of_all_processes_come_together() -> None:
    coordination = MemoryStorage().coordination
    one, other = (
        SharedCounters(coordination, MESSAGES, 0.01),
        SharedCounters(coordination, MESSAGES, 0.01),
    )
    for counts in (one, other, other):
        counts.count("accepted")
    other.count("late")
    wait_for(lambda: one.shared() == {"accepted": 3, "late": 1})
    one.count("accepted")
    wait_for(lambda: other.shared() == {"accepted": 4, "late": 1})


def test_other_counters_are_not_taken_for_messages() -> None:
    coordination = MemoryStorage().coordination
    coordination.add_counts({"something": 1})
    assert SharedCounters(coordination, MESSAGES).shared() == {}


class Calls(MemoryCoordination):
    """Remembers what was added, and fails when told to."""

    def __init__(self) -> None:
        coordination = MemoryStorage().coordination
        super().__init__(coordination._lock, lambda: 0.0)
        self.added: list[dict[str, int]] = []
        self.error: StorageUnavailable | None = None
        self.failures = 0

    def add_counts(self, counts: Mapping[str, int]) -> None:
        if self.error is not None:
            self.failures += 1
            raise self.error
        self.added.append(dict(counts))
        super().add_counts(counts)


def test_a_thousand_messages_are_one_round_trip_and_no_message_waits_for_it() -> None:
    coordination = Calls()
    counts = SharedCounters(coordination, MESSAGES, 0.2)
    for _ in range(1000):
        counts.count("accepted")
    assert coordination.added == []
    wait_for(lambda: coordination.added != [])
    assert coordination.added == [{"messages:accepted": 1000}]


def test_while_the_storage_is_down_counts_are_kept() -> None:
    coordination = Calls()
    coordination.error = StorageUnavailable("down")
    counts = SharedCounters(coordination, MESSAGES, 0.01)
    counts.count("accepted")
    wait_for(lambda: coordination.failures == 1 and counts._waiting.total() == 1)
    assert coordination.added == []
    coordination.error = None
    counts.count("accepted")
    wait_for(lambda: coordination.added == [{"messages:accepted": 2}])


def test_what_is_left_is_added_at_the_end_and_nobody_waits() -> None:
    coordination = Calls()
    counts = SharedCounters(coordination, MESSAGES, 60)
    counts.count("accepted")
    counts.close()
    assert coordination.added == [{"messages:accepted": 1}]
    wait_for(
        lambda: not any(isinstance(thread, Timer) and thread.interval == 60 for thread in threads())
    )
    counts.close()
    assert len(coordination.added) == 1
