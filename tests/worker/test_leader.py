import threading
import time
from datetime import UTC, datetime
from itertools import count

import pytest

from streamwatch.services.locks import LEADER_LEASE
from streamwatch.storage.base import StorageUnavailable
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from streamwatch.worker.leader import Leadership
from tests.waiting import wait_for


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage(events_kept=1000)


def test_one_of_many_leads_and_another_follows_when_it_stops(storage: MemoryStorage) -> None:
    several = [Leadership(storage.coordination, now, f"worker-{n}", seconds=0.6) for n in range(3)]
    for one in several:
        one.start()
    wait_for(lambda: any(one.lease for one in several))
    [leader] = [one for one in several if one.lease]
    first = leader.lease
    leader.stop()
    followers = [one for one in several if one is not leader]
    wait_for(lambda: any(one.lease for one in followers))
    [successor] = [one for one in followers if one.lease]
    assert first is not None
    assert successor.lease is not None
    assert successor.lease.fence > first.fence
    for one in followers:
        one.stop()
    assert storage.coordination.lease(LEADER_LEASE) is None


def test_leading_outlasts_the_lease(storage: MemoryStorage) -> None:
    leadership = Leadership(storage.coordination, now, "worker", seconds=0.3)
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


class Full(MemoryCoordination):
    """A storage that takes nothing new."""

    def heartbeat(self, at: datetime, seconds: float = 30) -> None:
        raise StorageUnavailable("out of memory")


def test_a_full_storage_does_not_end_the_leadership_of_who_empties_it() -> None:
    full = Full(threading.RLock(), time.monotonic)
    leadership = Leadership(full, now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: leadership.lease is not None)
    lease = leadership.lease
    tries = count()
    wait_for(lambda: full.acquire_lease(LEADER_LEASE, "rival", 1) is not None or next(tries) > 50)
    assert leadership.lease == lease
    leadership.stop()


def test_every_beat_says_that_a_worker_is_alive(storage: MemoryStorage) -> None:
    leadership = Leadership(storage.coordination, now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: storage.coordination.last_heartbeat() is not None)
    leadership.stop()


def test_a_lease_that_was_lost_is_led_under_no_more(storage: MemoryStorage) -> None:
    leadership = Leadership(storage.coordination, now, "worker", seconds=0.3)
    leadership.start()
    wait_for(lambda: leadership.lease is not None)
    lost = leadership.lease
    assert lost is not None
    storage.coordination.release_lease(lost)
    wait_for(lambda: leadership.lease is not None and leadership.lease != lost)
    leadership.stop()
