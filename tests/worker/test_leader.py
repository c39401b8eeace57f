"""Leader election among workers."""

from datetime import datetime

import pytest

from streamwatch.domain.times import utc_now
from streamwatch.services.locks import LEADER_LEASE
from streamwatch.storage.base import Lease, StorageUnavailable
from streamwatch.worker.leader import Leadership
from tests.fakes import CountedRenewals
from tests.waiting import wait_for

SECONDS = 0.3
"""How long a lease lasts, by the clock of the storage. Workers renew it every third of that, in
real time."""


@pytest.fixture
def coordination() -> CountedRenewals:
    return CountedRenewals()


def leadership_of(worker: str, coordination: CountedRenewals) -> Leadership:
    return Leadership(coordination, utc_now, worker, SECONDS)


def wait_for_leader(coordination: CountedRenewals) -> Lease:
    """The lease of the leader, once there is one."""
    wait_for(lambda: coordination.lease(LEADER_LEASE) is not None)
    lease = coordination.lease(LEADER_LEASE)
    assert lease is not None
    return lease


def test_another_worker_leads_after_the_leader_stops(coordination: CountedRenewals) -> None:
    workers = {name: leadership_of(name, coordination) for name in ("a", "b", "c")}
    for worker in workers.values():
        worker.start()
    first = wait_for_leader(coordination)
    wait_for(lambda: workers[first.holder].lease == first)
    followers = {name: worker for name, worker in workers.items() if name != first.holder}
    assert [worker.lease for worker in followers.values()] == [None, None]

    workers[first.holder].stop()
    second = wait_for_leader(coordination)
    assert second.holder in followers
    assert second.fence > first.fence
    wait_for(lambda: followers[second.holder].lease == second)
    assert [worker for worker in workers.values() if worker.lease] == [followers[second.holder]]

    for follower in followers.values():
        follower.stop()
    wait_for(lambda: coordination.lease(LEADER_LEASE) is None)


def test_the_leader_renews_its_lease(coordination: CountedRenewals) -> None:
    leadership = leadership_of("worker", coordination)
    leadership.start()
    lease = wait_for_leader(coordination)
    coordination.check_outlasts(LEADER_LEASE, SECONDS)
    wait_for(lambda: leadership.lease == lease)
    leadership.stop()


class RefusesHeartbeats(CountedRenewals):
    """A storage that refuses heartbeats, as a Redis without free memory does."""

    def heartbeat(self, at: datetime, seconds: float = 30) -> None:
        raise StorageUnavailable("out of memory")


def test_the_leader_keeps_its_lease_while_the_heartbeat_is_refused() -> None:
    full = RefusesHeartbeats()
    leadership = leadership_of("worker", full)
    leadership.start()
    lease = wait_for_leader(full)
    full.check_outlasts(LEADER_LEASE, SECONDS)
    wait_for(lambda: leadership.lease == lease)
    leadership.stop()


def test_a_leader_sends_heartbeats(coordination: CountedRenewals) -> None:
    leadership = leadership_of("worker", coordination)
    leadership.start()
    wait_for(lambda: coordination.last_heartbeat() is not None)
    leadership.stop()


def test_a_lost_lease_is_replaced_by_a_new_one(coordination: CountedRenewals) -> None:
    leadership = leadership_of("worker", coordination)
    leadership.start()
    lost = wait_for_leader(coordination)
    coordination.release_lease(lost)
    wait_for(lambda: leadership.lease is not None and leadership.lease != lost)
    leadership.stop()
