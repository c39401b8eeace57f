"""Distributed locks."""

import threading
from threading import RLock
from time import monotonic

import pytest

from streamwatch.services import locks
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.locks import RenewedLease, distributed_lock
from streamwatch.storage.base import Lease, StorageError
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from tests.fakes import CountedRenewals
from tests.waiting import wait_for


@pytest.fixture
def coordination() -> MemoryCoordination:
    return MemoryStorage().coordination


def test_only_one_process_at_a_time_holds_a_lock(coordination: MemoryCoordination) -> None:
    with distributed_lock(coordination, "work"):
        with pytest.raises(AlreadyRunning), distributed_lock(coordination, "work"):
            pytest.fail("two at once")
        with distributed_lock(coordination, "other work"):
            pass
    with distributed_lock(coordination, "work") as check_still_held:
        check_still_held()


def test_an_error_releases_the_lock(coordination: MemoryCoordination) -> None:
    with pytest.raises(ZeroDivisionError), distributed_lock(coordination, "work"):
        raise ZeroDivisionError
    with distributed_lock(coordination, "work"):
        pass


def test_a_thread_renews_the_lock_during_a_long_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.3)
    coordination = CountedRenewals()
    with distributed_lock(coordination, "work") as check_still_held:
        coordination.check_outlasts("work", 0.3)
        check_still_held()


def test_a_lost_lock_is_detected_by_the_check(coordination: MemoryCoordination) -> None:
    with distributed_lock(coordination, "work") as check_still_held:
        lease = coordination.lease("work")
        assert lease is not None
        coordination.release_lease(lease)
        assert coordination.acquire_lease("work", "another", 60)
        with pytest.raises(AlreadyRunning):
            check_still_held()
    held = coordination.lease("work")
    assert held is not None
    assert held.holder == "another"


class RefusesOnce(MemoryCoordination):
    """A storage that refuses the first try, as Redis does where a key holds another type."""

    refusals = 1

    def acquire_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        if self.refusals:
            self.refusals -= 1
            raise StorageError("Redis refused: WRONGTYPE")
        return super().acquire_lease(name, holder, seconds)


def test_a_refusal_of_the_storage_does_not_end_the_attempts_to_acquire_a_lease() -> None:
    coordination = RefusesOnce(RLock(), monotonic)
    renewed = RenewedLease(coordination, "leader", "worker", 0.3, reacquires=True)
    renewed.start()
    wait_for(lambda: renewed.lease is not None)
    renewed.stop()


def test_the_renewing_thread_ends_with_the_lock(coordination: MemoryCoordination) -> None:
    with distributed_lock(coordination, "work"):
        assert "work" in {thread.name for thread in threading.enumerate()}
    assert "work" not in {thread.name for thread in threading.enumerate()}
