"""Embedded storage on a disk that is almost full."""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from streamwatch.dev.data_dir import locked_data_dir
from streamwatch.dev.disk import DiskGuard, free_bytes
from streamwatch.dev.errors import StartError
from streamwatch.dev.run import EmbeddedServer
from streamwatch.embedded_socket import socket_path
from tests.waiting import wait_for


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with TemporaryDirectory(prefix="streamwatch-") as folder, locked_data_dir(Path(folder)):
        yield Path(folder)


class Disk(DiskGuard):
    """A disk that a test fills and empties."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.full = False

    def is_full(self) -> bool:
        return self.full


@pytest.fixture
def disk(data_dir: Path) -> Disk:
    return Disk(data_dir)


@pytest.fixture
def storage(data_dir: Path, disk: Disk) -> Iterator[EmbeddedServer]:
    embedded = EmbeddedServer(data_dir, disk)
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
def client(data_dir: Path, storage: EmbeddedServer) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(socket_path(data_dir))) as client:
        yield client


def end(storage: EmbeddedServer, client: redis.Redis) -> None:
    """End the server as a failed write would."""
    client.shutdown()
    wait_for(storage._valkey.has_ended)


def test_a_full_disk_refuses_writes_until_there_is_room(
    disk: Disk, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    client.set("key", "value")
    disk.full = True
    disk.check()
    disk.check()
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        client.set("key", "other")
    assert client.get("key") == b"value"
    [line] = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "is full: writes are refused" in line
    disk.full = False
    disk.check()
    client.set("key", "other")


def test_a_storage_that_ended_on_a_full_disk_starts_again_when_there_is_room(
    disk: Disk, storage: EmbeddedServer, client: redis.Redis
) -> None:
    client.set("key", "value")
    disk.full = True
    end(storage, client)
    storage.check_now()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    disk.full = False
    storage.check_now()
    assert client.get("key") == b"value"


def test_a_storage_that_ended_for_another_reason_ends_everything(
    storage: EmbeddedServer, client: redis.Redis
) -> None:
    end(storage, client)
    with pytest.raises(StartError, match="storage process has ended"):
        storage.check_now()


def test_the_reserve_is_compared_with_the_free_space(data_dir: Path) -> None:
    free = free_bytes(data_dir)
    assert DiskGuard(data_dir, reserve=10 * free).is_full()
    assert not DiskGuard(data_dir, reserve=free // 10).is_full()


def test_a_folder_that_was_deleted_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(StartError, match="gone' can no longer be used"):
        EmbeddedServer(gone, DiskGuard(gone)).check()
