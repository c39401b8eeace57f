"""The forms of REDIS_URL."""

from typing import Any
from unittest.mock import Mock

import pytest
from redis import Redis, SSLConnection
from redis.sentinel import SentinelConnectionPool

from streamwatch.redis_urls import ANSWER_SECONDS, CONNECT_SECONDS, client_maker
from streamwatch.services.notifications.dispatcher import MAX_ATTEMPTS
from streamwatch.settings import Settings, SettingsError
from streamwatch.storage.redis import RedisStorage


def client_of(url: str) -> Any:
    client = client_maker(url)()
    assert isinstance(client, Redis)
    return client


def test_a_url_of_one_server() -> None:
    options = client_of("redis://user:p%40ss@example.com:7000/2").get_connection_kwargs()

    assert (options["host"], options["port"], options["db"]) == ("example.com", 7000, 2)
    assert (options["username"], options["password"]) == ("user", "p@ss")


def test_a_url_of_one_server_with_tls() -> None:
    client = client_of("rediss://example.com")

    assert issubclass(client.connection_pool.connection_class, SSLConnection)


@pytest.mark.parametrize("url", ["redis://a", "rediss://a", "redis+sentinel://a/main"])
def test_clients_have_timeouts_and_do_not_retry(url: str) -> None:
    options = client_of(url).get_connection_kwargs()

    assert options["socket_connect_timeout"] == CONNECT_SECONDS
    assert options["socket_timeout"] == ANSWER_SECONDS
    assert options["retry"].get_retries() == 0


def test_each_attempt_of_a_worker_can_use_a_connection_at_the_same_time(
    redis_url: str,
) -> None:
    pool = client_of(redis_url).connection_pool
    other_threads = 50

    taken = [pool.get_connection() for _ in range(MAX_ATTEMPTS + other_threads)]

    for connection in taken:
        pool.release(connection)
    pool.disconnect()


def test_a_url_of_sentinels() -> None:
    pool = client_of("redis+sentinel://user:p%40ss@one,two:26380,[::1]/main/2").connection_pool

    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "main"
    servers = [client.get_connection_kwargs() for client in pool.sentinel_manager.sentinels]
    assert [(server["host"], server["port"]) for server in servers] == [
        ("one", 26379),
        ("two", 26380),
        ("::1", 26379),
    ]
    assert all(server["retry"].get_retries() == 0 for server in servers)
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == (
        "user",
        "p@ss",
    )
    assert pool.connection_kwargs["db"] == 2


def test_a_url_of_sentinels_with_tls() -> None:
    pool = client_of("rediss+sentinel://one/main").connection_pool

    assert issubclass(pool.connection_class, SSLConnection)
    [server] = pool.sentinel_manager.sentinels
    assert issubclass(server.connection_pool.connection_class, SSLConnection)


def test_options_of_a_url_of_sentinels_are_applied() -> None:
    url = "rediss+sentinel://one/main?ssl_cert_reqs=none&client_name=watcher"
    pool = client_of(url).connection_pool

    [server] = pool.sentinel_manager.sentinels
    sentinel_options = server.get_connection_kwargs()
    for options in (pool.connection_kwargs, sentinel_options):
        assert options["ssl_cert_reqs"] == "none"
    assert pool.connection_kwargs["client_name"] == "watcher"
    assert sentinel_options["client_name"] is None


def test_options_of_a_url_of_a_cluster_are_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Mock()
    monkeypatch.setattr("streamwatch.redis_urls.RedisCluster", made)

    client_maker("rediss+cluster://one?ssl_cert_reqs=none")()

    assert made.call_args.kwargs["ssl_cert_reqs"] == "none"


@pytest.mark.parametrize("url", ["redis+cluster://u:p@one:7000,two", "rediss+cluster://one"])
def test_a_cluster_client_connects_lazily(url: str) -> None:
    assert callable(client_maker(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "redis+other://example.com",
        "redis://example.com:port",
        "redis+sentinel://one",
        "redis+sentinel:///main",
        "redis+sentinel://one,,two/main",
        "redis+sentinel://one/main/db",
        "redis+cluster://one:port",
        "redis+cluster://one/2",
        "redis://one?ssl_cert_reqs=none",  # without TLS
        "rediss://one?ssl_cert_reqs=never",
        "redis://one?no_such_option=1",
        "redis+sentinel://one/main?ssl_cert_reqs=none",  # without TLS
        "redis+sentinel://one/main?no_such_option=1",
        "rediss+sentinel://one/main?ssl_cert_reqs=never",
        "redis+cluster://one?no_such_option=1",
        "redis+cluster://one?db=2",
    ],
)
def test_an_invalid_url_is_a_settings_error_without_the_password(url: str) -> None:
    secret = url.replace("//", "//:sesame@")
    with pytest.raises(SettingsError) as caught:
        RedisStorage.from_settings(Settings(redis_url=secret))

    [fault] = caught.value.faults
    assert fault.startswith("REDIS_URL: ")
    assert "sesame" not in fault
