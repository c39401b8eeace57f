"""Contract tests of leases: one holder at a time, a growing fence, and expiry."""

from streamwatch.storage.base import Storage
from streamwatch.storage.testing.build import ContractBase, eventually, run_concurrently


class LeaseContract(ContractBase):
    def test_a_lease_is_free_at_first(self, storage: Storage) -> None:
        assert storage.coordination.lease("leader") is None

    def test_a_held_lease_cannot_be_acquired_by_another_holder(self, storage: Storage) -> None:
        lease = storage.coordination.acquire_lease("leader", "host:1\nx", 60)

        assert lease is not None
        assert storage.coordination.acquire_lease("leader", "b", 60) is None
        assert storage.coordination.lease("leader") == lease

    def test_only_one_of_many_concurrent_callers_acquires_the_lease(self, storage: Storage) -> None:
        leases = run_concurrently(
            16, lambda n: storage.coordination.acquire_lease("leader", f"holder {n}", 60)
        )

        assert len([lease for lease in leases if lease]) == 1

    def test_leases_with_other_names_are_independent(self, storage: Storage) -> None:
        assert storage.coordination.acquire_lease("leader", "a", 60)
        assert storage.coordination.acquire_lease("other", "b", 60)

    def test_the_fence_grows_with_each_holder(self, storage: Storage) -> None:
        first = storage.coordination.acquire_lease("leader", "a", 60)
        assert first is not None
        storage.coordination.release_lease(first)
        second = storage.coordination.acquire_lease("leader", "b", 60)

        assert second is not None
        assert second.fence > first.fence

    def test_a_holder_that_acquires_again_gets_a_new_fence(self, storage: Storage) -> None:
        first = storage.coordination.acquire_lease("leader", "a", 60)
        second = storage.coordination.acquire_lease("leader", "a", 60)

        assert first is not None
        assert second is not None
        assert second.fence > first.fence
        assert not storage.coordination.renew_lease(first, 60)
        assert storage.coordination.renew_lease(second, 60)

    def test_a_lease_expires(self, storage: Storage) -> None:
        first = storage.coordination.acquire_lease("leader", "a", 0.05)
        assert first is not None

        eventually(lambda: storage.coordination.lease("leader") is None)

        assert not storage.coordination.renew_lease(first, 60)
        second = storage.coordination.acquire_lease("leader", "b", 60)
        assert second is not None
        assert second.fence > first.fence

    def test_a_renewed_lease_does_not_expire(self, storage: Storage) -> None:
        long = storage.coordination.acquire_lease("long", "a", 0.2)
        assert long is not None
        assert storage.coordination.renew_lease(long, 60)
        assert storage.coordination.acquire_lease("short", "a", 0.2)

        eventually(lambda: storage.coordination.lease("short") is None)

        assert storage.coordination.lease("long") == long

    def test_a_lost_lease_cannot_be_renewed_or_released(self, storage: Storage) -> None:
        lost = storage.coordination.acquire_lease("leader", "a", 60)
        assert lost is not None
        storage.coordination.release_lease(lost)
        held = storage.coordination.acquire_lease("leader", "b", 60)

        storage.coordination.release_lease(lost)
        assert not storage.coordination.renew_lease(lost, 60)

        assert storage.coordination.lease("leader") == held
