"""REDIS_URL to a client: one server, Sentinel, or Cluster.

redis://[user:password@]host[:6379][/db]
unix:///path/to/socket
redis+sentinel://[user:password@]host[:26379],host…/master-name[/db]
redis+cluster://[user:password@]host[:6379],host…

With rediss for TLS. The user is Redis's own; Sentinels are asked without one.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

Client = Redis | RedisCluster

CONNECT_SECONDS = 0.4
ANSWER_SECONDS = 0.8
SENTINEL_SECONDS = 0.2
"""Every wait for Redis, together well within the 2 seconds of a verb: to be connected (by each of
a name's addresses), to be answered, and to be told the master by each Sentinel. A webhook that has
waited for a thread that waited for a silent Redis may have to wait once more itself."""

MAX_CONNECTIONS = 4096
"""More than a process has threads: they bound its connections, not the pool."""


def client_maker(url: str) -> Callable[[], Client]:
    """What makes the client for `url`. Only the client of a Cluster connects when it is made.

    Raises ValueError for a URL in none of the forms above.
    """
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    if parts.scheme == "unix":
        return _single(url)
    if scheme not in ("redis", "rediss"):
        raise ValueError("no Redis URL")
    match kind:
        case "":
            return _single(url)
        case "sentinel":
            return _sentinel(parts, tls=scheme == "rediss")
        case "cluster":
            return _cluster(parts, tls=scheme == "rediss")
        case _:
            raise ValueError("neither sentinel nor cluster")


def _options() -> dict[str, Any]:
    """What all clients have in common.

    No retries: a lost answer leaves open whether the command ran, and running it again could count
    twice or hide what it did the first time. Connections that Redis has closed meanwhile, because
    it was restarted, are found and replaced by the pool before a command is sent.
    """
    return {
        "protocol": 2,
        "driver_info": None,  # saves a round trip when connecting
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": MAX_CONNECTIONS,
    }


def _single(url: str) -> Callable[[], Client]:
    client = Redis.from_url(url, **_options())
    return lambda: client


def _sentinel(parts: SplitResult, *, tls: bool) -> Callable[[], Client]:
    master, _, db = parts.path.strip("/").partition("/")
    if not master:
        raise ValueError("no name of a master")
    options = {**_options(), **_user(parts), "ssl": tls}
    asking = {
        **_options(),
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        "ssl": tls,
    }
    sentinels = Sentinel(_addresses(parts, 26379), sentinel_kwargs=asking, **options)
    client = sentinels.master_for(master, db=int(db or 0))
    return lambda: client


def _cluster(parts: SplitResult, *, tls: bool) -> Callable[[], Client]:
    addresses = _addresses(parts, 6379)
    if parts.path.strip("/"):
        raise ValueError("a Cluster has no databases")
    options = {**_options(), **_user(parts), "ssl": tls}
    return lambda: RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in addresses], **options
    )


def _addresses(parts: SplitResult, default_port: int) -> list[tuple[str, int]]:
    servers = [urlsplit(f"//{server}") for server in parts.netloc.rpartition("@")[2].split(",")]
    if not all(server.hostname for server in servers):
        raise ValueError("a server without a name")
    return [(server.hostname or "", server.port or default_port) for server in servers]


def _user(parts: SplitResult) -> dict[str, str | None]:
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return {"username": unquote(user) or None, "password": unquote(password) or None}
