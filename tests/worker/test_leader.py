"""Leader election among workers."""

import threading
import time
from datetime import datetime
from itertools import count

import pytest

from streamwatch.domain.times import utc_now
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from streamwatch.worker.leader import Leadership
from tests.waiting import wait_for


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage(events_kept=1000)


def test_another_worker_leads_after_the_leader_stops(storage: MemoryStorage) -> None:
    workers = [
        Leadership(storage.coordination, utc_now, f"worker-{n}", seconds=0.6) for n in range(3)
    ]
    for worker in workers:
        worker.start()
    wait_for(lambda: any(worker.lease for worker in workers))
    [leader] = [worker for worker in workers if worker.lease]
    first = leader.lease
    leader.stop()
    followers = [worker for worker in workers if worker is not leader]
    wait_for(lambda: any(worker.lease for worker in followers))
    [successor] = [worker for worker in followers if worker.lease]
    assert first is not None
    assert successor.lease is not None
    assert successor.lease.fence > first.fence
    for follower in followers:
        follower.stop()
    assert storage.coordination.lease(LEADER_LEASE) is None


def test_the_leader_renews_its_lease(storage: MemoryStorage) -> None:
    leadership = Leadership(storage.coordination, utc_now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: leadership.lease is not None)
    lease = leadership.lease
    rival_tries: list[object] = []

    def rival_fails_for_long() -> bool:
        rival_tries.append(storage.coordination.acquire_lease(LEADER_LEASE, "rival", 1))
        return len(rival_tries) > 50

    wait_for(rival_fails_for_long)
    assert rival_tries == [None] * len(rival_tries)
    assert leadership.lease == lease
    leadership.stop()


class RefusesHeartbeats(MemoryCoordination):
    """A storage that refuses heartbeats, as a Redis without free memory does."""

    def heartbeat(self, at: datetime, seconds: float = 30) -> None:
        raise StorageUnavailable("out of memory")


def test_the_leader_keeps_its_lease_while_the_heartbeat_is_refused() -> None:
    full = RefusesHeartbeats(threading.RLock(), time.monotonic)
    leadership = Leadership(full, utc_now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: leadership.lease is not None)
    lease = leadership.lease
    tries = count()
    wait_for(lambda: full.acquire_lease(LEADER_LEASE, "rival", 1) is not None or next(tries) > 50)
    assert leadership.lease == lease
    leadership.stop()


def test_a_leader_sends_heartbeats(storage: MemoryStorage) -> None:
    leadership = Leadership(storage.coordination, utc_now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: storage.coordination.last_heartbeat() is not None)
    leadership.stop()


def test_a_lost_lease_is_replaced_by_a_new_one(storage: MemoryStorage) -> None:
    leadership = Leadership(storage.coordination, utc_now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: leadership.lease is not None)
    lost = leadership.lease
    assert lost is not None
    storage.coordination.release_lease(lost)
    wait_for(lambda: leadership.lease is not None and leadership.lease != lost)
    leadership.stop()
