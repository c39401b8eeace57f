import threading
import time

import pytest

from streamwatch.services import locks
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.locks import distributed_lock
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination


@pytest.fixture
def coordination() -> MemoryCoordination:
    return MemoryStorage().coordination


def test_one_at_a_time_and_then_the_next(coordination: MemoryCoordination) -> None:
    with distributed_lock(coordination, "work"):
        with pytest.raises(AlreadyRunning), distributed_lock(coordination, "work"):
            pytest.fail("two at once")
        with distributed_lock(coordination, "other work"):
            pass
    with distributed_lock(coordination, "work") as hold:
        hold()


def test_a_failure_lets_the_next_one_in(coordination: MemoryCoordination) -> None:
    with pytest.raises(ZeroDivisionError), distributed_lock(coordination, "work"):
        raise ZeroDivisionError
    with distributed_lock(coordination, "work"):
        pass


def test_a_step_may_take_longer_than_the_lease_stands(
    coordination: MemoryCoordination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_SECONDS", 1.2)
    with distributed_lock(coordination, "work") as hold:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            assert coordination.acquire_lease("work", "another", 60) is None
            time.sleep(0.01)
        hold()


def test_what_was_lost_is_found_out_between_two_steps(coordination: MemoryCoordination) -> None:
    with distributed_lock(coordination, "work") as hold:
        lease = coordination.lease("work")
        assert lease is not None
        coordination.release_lease(lease)
        assert coordination.acquire_lease("work", "another", 60)
        with pytest.raises(AlreadyRunning):
            hold()
    held = coordination.lease("work")
    assert held is not None
    assert held.holder == "another"


def test_no_thread_is_left(coordination: MemoryCoordination) -> None:
    with distributed_lock(coordination, "work"):
        assert "work" in {thread.name for thread in threading.enumerate()}
    assert "work" not in {thread.name for thread in threading.enumerate()}
