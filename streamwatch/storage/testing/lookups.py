"""Contract tests of cached lookups of users who are not monitored."""

from streamwatch.storage.base import Lookup, Storage
from streamwatch.storage.testing.build import ContractBase, eventually, status


class LookupContract(ContractBase):
    def test_a_login_that_was_not_looked_up_has_no_lookup(self, storage: Storage) -> None:
        assert storage.lookup("ann") is None

    def test_a_lookup_is_cached(self, storage: Storage) -> None:
        found = Lookup("ann", status("1", "ann", viewers=3))

        storage.save_lookup(found, 60)

        assert storage.lookup("ann") == found
        assert storage.find_status("ann") is None

    def test_a_lookup_without_a_user_is_cached(self, storage: Storage) -> None:
        storage.save_lookup(Lookup("nobody", None), 60)

        assert storage.lookup("nobody") == Lookup("nobody", None)

    def test_a_new_lookup_replaces_the_old_one(self, storage: Storage) -> None:
        storage.save_lookup(Lookup("ann", None), 60)
        storage.save_lookup(Lookup("ann", status()), 60)

        assert storage.lookup("ann") == Lookup("ann", status())

    def test_a_lookup_expires(self, storage: Storage) -> None:
        storage.save_lookup(Lookup("long", None), 60)
        storage.save_lookup(Lookup("short", None), 0.05)

        eventually(lambda: storage.lookup("short") is None)

        assert storage.lookup("long") == Lookup("long", None)
