"""Contract tests: every storage backend must pass them.

The tests of a plug-in subclass `StorageContract`:

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def open_storage(self) -> Iterator[OpenStorage]:
            server.empty()
            yield lambda events_kept=1000: MyStorage(server.url, events_kept)

A backend that publishes changes (`Coordination.publish_change`) subclasses `ChangesContract` too.

Each call of the function that `open_storage` returns opens the storage as a separate process would:
a shared storage on the same data. The data is empty when a test begins.
"""

from streamwatch.storage.testing.backfills import BackfillContract
from streamwatch.storage.testing.build import OpenStorage
from streamwatch.storage.testing.changes import ChangesContract
from streamwatch.storage.testing.commit import CommitContract
from streamwatch.storage.testing.coordination import CoordinationContract
from streamwatch.storage.testing.feed import FeedContract
from streamwatch.storage.testing.history import HistoryContract
from streamwatch.storage.testing.leases import LeaseContract
from streamwatch.storage.testing.live import LiveContract
from streamwatch.storage.testing.logins import LoginContract
from streamwatch.storage.testing.lookups import LookupContract
from streamwatch.storage.testing.notifications import (
    DeliveryContract,
    DeliveryQueueContract,
    NotificationContract,
)
from streamwatch.storage.testing.paging import PagingContract
from streamwatch.storage.testing.removal import RemovalContract
from streamwatch.storage.testing.streamers import StreamersContract
from streamwatch.storage.testing.tailing import TailingContract
from streamwatch.storage.testing.trimming import TrimmingContract

__all__ = ["ChangesContract", "OpenStorage", "StorageContract"]


class StorageContract(
    StreamersContract,
    LoginContract,
    RemovalContract,
    CommitContract,
    LiveContract,
    HistoryContract,
    PagingContract,
    FeedContract,
    TrimmingContract,
    TailingContract,
    CoordinationContract,
    LeaseContract,
    LookupContract,
    NotificationContract,
    DeliveryContract,
    DeliveryQueueContract,
    BackfillContract,
):
    """All tests of the port in `streamwatch.storage.base`, except those of `ChangesContract`."""
