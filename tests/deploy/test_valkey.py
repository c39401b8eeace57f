"""The embedded Valkey keeps the contract of a storage, as Redis does."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from streamwatch.dev.valkey import Valkey
from streamwatch.embedded_socket import socket_path
from streamwatch.settings import Settings
from streamwatch.storage.redis import EmbeddedStorage
from streamwatch.storage.testing import ChangesContract, OpenStorage, StorageContract


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    with TemporaryDirectory(prefix="streamwatch-") as folder:
        server = Valkey(Path(folder))
        server.start()
        try:
            yield Path(folder)
        finally:
            server.stop()


class TestEmbeddedStorage(StorageContract, ChangesContract):
    @pytest.fixture
    def open_storage(self, data_dir: Path) -> Iterator[OpenStorage]:
        with redis.Redis(unix_socket_path=str(socket_path(data_dir))) as client:
            client.flushall()
        opened: list[EmbeddedStorage] = []

        def open_storage(events_kept: int = 1000) -> EmbeddedStorage:
            settings = Settings(data_dir=data_dir, events_kept=events_kept)
            opened.append(EmbeddedStorage.from_settings(settings))
            return opened[-1]

        yield open_storage
        for storage in opened:
            storage.close()
