"""Clients for the forms of REDIS_URL: one server, Sentinel, or Cluster.

redis://[user:password@]host[:6379][/db]
unix:///path/to/socket
redis+sentinel://[user:password@]host[:26379],host…/master-name[/db]
redis+cluster://[user:password@]host[:6379],host…

`rediss` instead of `redis` means TLS. User and password are for Redis; Sentinels get none. Options
of redis-py may follow, as in `?ssl_cert_reqs=none`; Sentinels get those of TLS.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

Client = Redis | RedisCluster

POOL_SECONDS = 0.4
CONNECT_SECONDS = 0.4
ANSWER_SECONDS = 0.8
SENTINEL_SECONDS = 0.2
"""Timeouts to get a connection from the pool, to connect (to each address of a name), to read the
answer, and to ask each Sentinel for the master. Their sum is below the 2 seconds that a method of
the port may take."""

MAX_CONNECTIONS = 300
"""The most connections of one process: more than a worker has threads, which send up to 200
notifications at a time. A connection is made when one more is needed at the same time."""


def client_maker(url: str) -> Callable[[], Client]:
    """A function that creates the client for `url`. Only a Cluster client connects when created.

    Raises ValueError if the URL has none of the forms above.
    """
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if parts.scheme == "unix":
        return _single(url)
    if scheme not in ("redis", "rediss"):
        raise ValueError("not a Redis URL")
    match kind:
        case "":
            return _single(url)
        case "sentinel":
            return _sentinel(parts, tls=scheme == "rediss")
        case "cluster":
            return _cluster(parts, tls=scheme == "rediss")
        case _:
            raise ValueError("the form is neither sentinel nor cluster")


def _options() -> dict[str, Any]:
    """The options of all clients.

    There are no retries: a command whose answer was lost may have run, and a second run could count
    twice or hide the first result. The pool replaces connections that Redis has closed, for example
    in a restart, before it hands them out.
    """
    return {
        "protocol": 2,
        "driver_info": None,  # saves a round trip per connection
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": MAX_CONNECTIONS,
    }


def _single(url: str) -> Callable[[], Client]:
    pool = BlockingConnectionPool.from_url(url, timeout=POOL_SECONDS, **_options())
    _check(pool.connection_class, pool.connection_kwargs)
    client = Redis.from_pool(pool)
    return lambda: client


def _sentinel(parts: SplitResult, *, tls: bool) -> Callable[[], Client]:
    master, _, db = parts.path.strip("/").partition("/")
    if not master:
        raise ValueError("the name of the master is missing")
    given = _given_options(parts, tls=tls)
    db = db or given.pop("db", 0)
    options = {**_options(), **_user(parts), **given, "ssl": tls}
    sentinel_options = {
        **_options(),
        **{name: value for name, value in given.items() if name.startswith("ssl_")},
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        "ssl": tls,
    }
    sentinels = Sentinel(_addresses(parts, 26379), sentinel_kwargs=sentinel_options, **options)
    client = sentinels.master_for(master, db=int(db))
    return lambda: client


def _cluster(parts: SplitResult, *, tls: bool) -> Callable[[], Client]:
    addresses = _addresses(parts, 6379)
    given = _given_options(parts, tls=tls)
    if parts.path.strip("/") or "db" in given:
        raise ValueError("a Cluster has no databases")
    options = {**_options(), **_user(parts), **given, "ssl": tls}
    return lambda: RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in addresses], **options
    )


def _given_options(parts: SplitResult, *, tls: bool) -> dict[str, Any]:
    """The options after the ?, as redis-py reads them. Raises ValueError."""
    given: dict[str, Any] = dict(parse_url(f"redis{'s' * tls}://?{parts.query}"))
    given.pop("connection_class", None)
    _check(SSLConnection if tls else Connection, given)
    return given


def _check(connection_class: type[Any], options: Mapping[str, Any]) -> None:
    """Raise ValueError if a connection does not accept these options."""
    try:
        connection_class(**options)  # connects to nothing
    except (TypeError, AttributeError, RedisError):
        raise ValueError("an option after the ? is wrong, or needs rediss://") from None


def _addresses(parts: SplitResult, default_port: int) -> list[tuple[str, int]]:
    servers = [urlsplit(f"//{server}") for server in parts.netloc.rpartition("@")[2].split(",")]
    if not all(server.hostname for server in servers):
        raise ValueError("a server has no host name")
    return [(server.hostname or "", server.port or default_port) for server in servers]


def _user(parts: SplitResult) -> dict[str, str | None]:
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return {"username": unquote(user) or None, "password": unquote(password) or None}
