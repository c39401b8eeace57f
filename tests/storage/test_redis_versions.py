"""Servers that are too old are refused; settings that put the data at risk are reported."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import fakeredis
import pytest

from streamwatch.storage.base import StorageReport, UnsupportedStorage
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from streamwatch.storage.redis.server_info import require_supported_version, server_name
from streamwatch.storage.testing.build import change, status
from tests.servers import OLD_REDIS, is_in_wheel, redis_server


class OldRedis(fakeredis.FakeRedis):
    """Answers INFO as version 6.2 does."""

    def execute_command(self, *command: Any, **options: Any) -> Any:
        if command[0] == "INFO":
            return {"redis_version": "6.2.5"}
        execute: Any = super().execute_command  # which has no types
        return execute(*command, **options)


@contextmanager
def fake_old_redis() -> Iterator[Connection]:
    yield Connection(lambda: OldRedis(protocol=2))


@contextmanager
def real_old_redis() -> Iterator[Connection]:
    with redis_server(in_wheel=OLD_REDIS) as server:
        yield Connection.to(server.url)


# The wheel with an old server is for one version of Python.
OLD_SERVERS = [fake_old_redis, *([real_old_redis] if is_in_wheel(OLD_REDIS) else [])]


@pytest.mark.parametrize("old_redis", OLD_SERVERS)
def test_an_old_redis_is_unavailable_with_the_reason(
    old_redis: Callable[[], AbstractContextManager[Connection]],
) -> None:
    with old_redis() as connection:
        storage = RedisStorage(connection)

        for method in (storage.ping, storage.check, lambda: storage.commit([change(status())])):
            with pytest.raises(UnsupportedStorage) as caught:
                method()

        assert str(caught.value) == (
            "Redis 6.2.5 is too old: at least Redis 7.0 or Valkey 7.2 is needed"
        )
        storage.close()


@pytest.mark.parametrize(
    ("info", "is_supported"),
    [
        ({"redis_version": "6.2.14"}, False),
        ({"redis_version": "7.0.0"}, True),
        ({"redis_version": "8.2.3"}, True),
        ({"redis_version": "10.0.1"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "7.1.0"}, False),
        ({"redis_version": "unstable"}, True),
        ({}, True),
    ],
)
def test_versions_are_compared_by_number(info: dict[str, str], is_supported: bool) -> None:
    if is_supported:
        require_supported_version(info)
    else:
        with pytest.raises(UnsupportedStorage):
            require_supported_version(info)


def test_a_server_without_persistence_and_with_eviction_is_reported(
    storage: RedisStorage, client: Any
) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        report = storage.check()
    finally:
        client.config_set("maxmemory-policy", "noeviction")

    assert report.server == server_name(client.info("server"))
    no_file, eviction = report.warnings
    assert no_file == "appendonly is no: a crash loses the last minutes (set appendonly yes)"
    assert eviction == (
        "maxmemory-policy is allkeys-lru: a full server deletes data"
        " (set maxmemory-policy noeviction)"
    )


def test_a_server_with_safe_settings_has_no_warnings(storage: RedisStorage, client: Any) -> None:
    client.config_set("appendonly", "yes")
    try:
        assert storage.check().warnings == ()
    finally:
        client.config_set("appendonly", "no")


def test_a_redis_user_without_info_can_use_the_storage(client: Any, redis_url: str) -> None:
    client.acl_setuser(
        "plain", enabled=True, nopass=True, keys="*", channels="*", commands=["+@all", "-info"]
    )
    storage = RedisStorage(Connection.to(redis_url.replace("redis://", "redis://plain:x@")))
    try:
        assert storage.check() == StorageReport()
    finally:
        storage.close()
        client.acl_deluser("plain")
