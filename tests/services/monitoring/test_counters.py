"""Counters shared by all processes."""

from collections.abc import Mapping
from threading import Timer
from threading import enumerate as threads

from streamwatch.services.monitoring.counters import MESSAGES, SharedCounters
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from tests.waiting import wait_for


def test_counters_sum_over_all_processes() -> None:
    coordination = MemoryStorage().coordination
    first, second = (
        SharedCounters(coordination, MESSAGES, 0.01),
        SharedCounters(coordination, MESSAGES, 0.01),
    )
    for counts in (first, second, second):
        counts.count("accepted")
    second.count("late")
    wait_for(lambda: first.shared() == {"accepted": 3, "late": 1})
    first.count("accepted")
    wait_for(lambda: second.shared() == {"accepted": 4, "late": 1})


def test_counters_of_other_kinds_are_not_returned() -> None:
    coordination = MemoryStorage().coordination
    coordination.add_counts({"something": 1})
    assert SharedCounters(coordination, MESSAGES).shared() == {}


class RecordingCoordination(MemoryCoordination):
    """Records the calls of `add_counts`, which raise `error` while it is set."""

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


def test_counts_are_added_later_in_one_round_trip() -> None:
    coordination = RecordingCoordination()
    counts = SharedCounters(coordination, MESSAGES, 0.2)
    for _ in range(1000):
        counts.count("accepted")
    assert coordination.added == []
    wait_for(lambda: coordination.added != [])
    assert coordination.added == [{"messages:accepted": 1000}]


def test_counts_are_added_after_the_storage_was_unavailable() -> None:
    coordination = RecordingCoordination()
    coordination.error = StorageUnavailable("down")
    counts = SharedCounters(coordination, MESSAGES, 0.01)
    counts.count("accepted")
    wait_for(lambda: coordination.failures == 1 and counts._unflushed.total() == 1)
    assert coordination.added == []
    coordination.error = None
    counts.count("accepted")
    wait_for(lambda: coordination.added == [{"messages:accepted": 2}])


def test_closing_adds_the_counts_at_once() -> None:
    coordination = RecordingCoordination()
    counts = SharedCounters(coordination, MESSAGES, 60)
    counts.count("accepted")
    counts.close()
    assert coordination.added == [{"messages:accepted": 1}]
    wait_for(
        lambda: not any(isinstance(thread, Timer) and thread.interval == 60 for thread in threads())
    )
    counts.close()
    assert len(coordination.added) == 1


def test_closing_adds_the_counts_of_a_failed_flush() -> None:
    coordination = RecordingCoordination()
    coordination.error = StorageUnavailable("down")
    counts = SharedCounters(coordination, MESSAGES, 60)
    counts.count("accepted")
    counts.flush()
    assert coordination.failures == 1
    coordination.error = None
    counts.close()
    assert coordination.added == [{"messages:accepted": 1}]
