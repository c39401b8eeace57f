"""One HTTP request within bounds: to checked addresses, no redirects, limited time and size.

http.client is used with a connection of our own: it goes to an address that `AddressPolicy` has
checked, and all reads share one deadline, so that a slow answer times out like a missing one.
Proxies and credentials of the environment are not used.
"""

import base64
import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from streamwatch.services.notifications.addresses import AddressError, AddressPolicy

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024

_PORTS = {"http": 80, "https": 443}
_SAFE = "%/:=&?~#+!$,;'@()*[]"
"""Characters of a path or query that stay as they are."""


class RequestFailed(Exception):
    """There is no complete answer. The text names host and reason, never the path or a secret."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; names of headers are in lower case, the body is cut at MAX_ANSWER_BYTES."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  2xx


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Sends requests where `policy` allows. The limits are in seconds."""

    policy: AddressPolicy
    connect_seconds: float = CONNECT_SECONDS
    answer_seconds: float = ANSWER_SECONDS

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer to one request. Raises AddressError or RequestFailed."""
        parts = urlsplit(url)
        host, port = host_of(parts), port_of(parts)
        addresses = self.policy.addresses(host, port)
        connection = _Connection(host, port, self, secure=parts.scheme == "https")
        try:
            connection.open(addresses)
            connection.request(method, _target(parts), body, {**_headers(parts), **headers})
            response = connection.getresponse()
            content = response.read(MAX_ANSWER_BYTES)
        except (OSError, HTTPException, ValueError) as error:
            raise RequestFailed(_reason(host, port, error)) from error
        finally:
            connection.end()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, content)


def host_of(parts: SplitResult) -> str:
    """The host in ASCII. Raises AddressError where there is none."""
    try:
        host = (parts.hostname or "").encode("idna").decode()
    except UnicodeError:
        raise AddressError("the host is not a valid name") from None
    if not host:
        raise AddressError("the URL names no host")
    return host


def port_of(parts: SplitResult) -> int:
    """The port. Raises AddressError for an invalid one."""
    try:
        return parts.port or _PORTS.get(parts.scheme, 443)
    except ValueError:
        raise AddressError("the port is not a number from 1 to 65535") from None


class _Connection(HTTPConnection):
    """A connection to one of the checked addresses of `host`."""

    def __init__(self, host: str, port: int, client: HttpClient, *, secure: bool) -> None:
        super().__init__(host, port)
        self._client = client
        self._secure = secure
        self._connected: socket.socket | None = None
        self.default_port = _PORTS["https" if secure else "http"]

    def open(self, addresses: Sequence[str]) -> None:
        """Connect to the first address that accepts, within `connect_seconds` for all of them.

        Each address gets an equal share of the time that is left, so that one that does not answer
        (an IPv6 address without a route) leaves time for the others.
        """
        deadline = time.monotonic() + self._client.connect_seconds
        failure: OSError | None = None
        for tried, address in enumerate(addresses):
            try:
                share = _left(deadline) / (len(addresses) - tried)
                plain = socket.create_connection((address, self.port), share)
            except OSError as error:
                failure = error
                continue
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connected = self._encrypted(plain, deadline) if self._secure else plain
            self.sock = _DeadlineSocket(self._connected, self._client.answer_seconds)
            return
        raise failure or TimeoutError

    def end(self) -> None:
        """Close the socket, whatever is still to be read."""
        self.close()
        if self._connected is not None:
            self._connected.close()

    def _encrypted(self, plain: socket.socket, deadline: float) -> socket.socket:
        try:
            plain.settimeout(_left(deadline))
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


class _DeadlineSocket:
    """The methods of a socket that http.client uses, with one deadline for all sends and reads."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self._socket = connected
        self._deadline = time.monotonic() + seconds

    def sendall(self, data: Any) -> None:
        self._socket.settimeout(_left(self._deadline))
        self._socket.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002  http.client's signature
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """http.client closes a connection before it reads the answer's body: see `end`."""


class _Reader(io.RawIOBase):
    def __init__(self, connected: _DeadlineSocket) -> None:
        super().__init__()
        self._connected = connected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connected.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_SAFE)
    return f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path


def _headers(parts: SplitResult) -> dict[str, str]:
    """Basic authentication, where the URL carries a name and a password."""
    user_info = parts.netloc.rpartition("@")[0]
    if not user_info:
        return {}
    encoded = base64.b64encode(unquote(user_info).encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def _reason(host: str, port: int, error: Exception) -> str:
    """Why there is no answer, without secrets."""
    where = f"{host}:{port}"
    match error:
        case TimeoutError():
            return f"{where} did not answer in time"
        case ConnectionRefusedError():
            return f"{where} refused the connection"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} is not valid: {error.verify_message}"
        case ssl.SSLError():
            return f"{where} does not speak TLS as expected"
        case OSError():
            return f"the connection to {where} failed ({type(error).__name__})"
        case _:
            return f"{where} did not answer as HTTP does ({type(error).__name__})"
