"""One connection to EventSub's WebSocket.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from streamwatch.domain.eventsub import EventSubError, Unknown
from streamwatch.domain.websocket_messages import (
    MAX_MESSAGE_BYTES,
    SocketMessage,
    Welcome,
    parse,
)
from streamwatch.twitch.base import ConnectionLost, EventSubSocket

_LIBRARY_LOG = logging.getLogger("websockets.client")
_LIBRARY_LOG.setLevel(logging.WARNING)
"""At DEBUG the library logs every request line, and a reconnect URL holds a credential."""

KEEPALIVE_SECONDS = 10
"""The shortest keepalive that Twitch offers: a dead connection is noticed soonest."""

SILENCE_MARGIN = 5.0
"""Seconds beyond the keepalive after which a silent connection counts as lost."""

CONNECT_SECONDS = 10.0
"""The longest wait for the connection, and again for the welcome."""

_CLOSE_SECONDS = 1.0

_CLOSE_REASONS = {
    4000: "internal server error",
    4001: "client sent inbound traffic",
    4002: "client failed ping-pong",
    4003: "connection unused",
    4004: "reconnect grace time expired",
    4005: "network timeout",
    4006: "network error",
    4007: "invalid reconnect",
}
"""Twitch's close codes. All of them mean to connect again."""


class TwitchSocket(EventSubSocket):
    """A connection that has been welcomed. One thread uses it."""

    def __init__(
        self, connection: ClientConnection, clock: Callable[[], datetime], closing: ExitStack
    ) -> None:
        """`closing` closes the connection: the library wants `connect` to be a context manager.
        It is emptied when the constructor returns; then `close` closes the connection."""
        self._connection = connection
        self._clock = clock
        self._received_at = time.monotonic()
        welcome = self._welcome()
        self.session_id = welcome.session_id
        self._max_silence = welcome.keepalive_seconds + SILENCE_MARGIN
        self._closing = closing.pop_all()

    @classmethod
    def open(cls, url: str, clock: Callable[[], datetime], *, is_reconnect: bool = False) -> Self:
        """Connect to EventSub at `url` and wait for the welcome. A reconnect URL is used
        unchanged. Raises ConnectionLost. URLs are not logged: a reconnect URL is a credential."""
        try:
            with ExitStack() as closing:
                connection = closing.enter_context(
                    connect(
                        url if is_reconnect else _with_keepalive(url),
                        open_timeout=CONNECT_SECONDS,
                        close_timeout=_CLOSE_SECONDS,
                        ping_interval=None,  # Twitch closes connections whose client sends anything
                        max_size=MAX_MESSAGE_BYTES,
                        logger=_LIBRARY_LOG,
                    )
                )
                return cls(connection, clock, closing)
        except (OSError, WebSocketException, ValueError) as error:  # ValueError: no such port
            raise ConnectionLost(f"EventSub is not reachable ({type(error).__name__}).") from None

    def receive(self, seconds: float) -> SocketMessage | None:
        data = self._read(seconds)
        if data is None:
            silence = time.monotonic() - self._received_at
            if silence > self._max_silence:
                raise ConnectionLost(f"EventSub was silent for {silence:.0f} s.")
            return None
        self._received_at = time.monotonic()
        try:
            return parse(data, self._clock())
        except EventSubError as error:
            return Unknown(f"unreadable content: {error}")

    def close(self) -> None:
        self._closing.close()

    def _read(self, seconds: float) -> bytes | None:
        try:
            data = self._connection.recv(timeout=max(seconds, 0.0), decode=False)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            raise ConnectionLost(_close_message(closed)) from None
        return bytes(data)

    def _welcome(self) -> Welcome:
        data = self._read(CONNECT_SECONDS)
        if data is None:
            raise ConnectionLost(f"EventSub sent no welcome within {CONNECT_SECONDS:.0f} s.")
        try:
            message = parse(data, self._clock())
        except EventSubError as error:
            raise ConnectionLost(f"EventSub's welcome is malformed: {error}") from None
        if not isinstance(message, Welcome):
            raise ConnectionLost("EventSub's first message is not a welcome.")
        return message


def _with_keepalive(url: str) -> str:
    parts = urlsplit(url)
    query = {
        **dict(parse_qsl(parts.query)),
        "keepalive_timeout_seconds": str(KEEPALIVE_SECONDS),
    }
    return urlunsplit(parts._replace(query=urlencode(query)))


def _close_message(closed: ConnectionClosed) -> str:
    code = closed.rcvd.code if closed.rcvd else None
    if code is None:
        return "EventSub's connection broke."
    return (
        f"EventSub closed the connection: {_CLOSE_REASONS.get(code, 'no known reason')} ({code})."
    )
