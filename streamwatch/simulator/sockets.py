"""EventSub's WebSocket server: sessions, keepalives, reconnects and their faults.

https://dev.twitch.tv/docs/eventsub/handling-websocket-events/
"""

import json
import queue
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from streamwatch.domain.times import format_time
from streamwatch.simulator.conduits import Conduits
from streamwatch.simulator.web import HOST, Document

DEFAULT_KEEPALIVE = 10
KEEPALIVES = range(10, 601)

INBOUND_TRAFFIC = 4001
UNUSED = 4003
GRACE_EXPIRED = 4004
INVALID_RECONNECT = 4007


@dataclass
class _Session:
    """One connection. `outbox` holds messages (text), and close codes (int)."""

    id: str
    keepalive: float
    connection: ServerConnection
    outbox: "queue.Queue[str | int]" = field(default_factory=queue.Queue)
    silent_until: float = 0.0
    replaced: threading.Event = field(default_factory=threading.Event)
    cut_after: int | None = None
    """How many more messages are sent before the connection breaks."""


@dataclass(frozen=True, slots=True)
class SocketDelivery:
    """A message that was written to a session's socket."""

    session_id: str
    document: Document


class Sockets:
    """The WebSocket server. It serves within its `with` block.

    `keepalive` overrides the keepalive time that clients ask for, `welcome_delay` delays the next
    welcomes, `attach_seconds` is how long a session may stay without a shard, and `grace_seconds`
    how long an old connection stays open after a reconnect message; all in seconds, and may be set
    at any time.
    """

    def __init__(self, conduits: Conduits, clock: Callable[[], datetime]) -> None:
        self.keepalive: float | None = None
        self.welcome_delay = 0.0
        self.attach_seconds = 10.0
        self.grace_seconds = 30.0
        self.is_refusing = False
        """Whether new connections are refused."""
        self.deliveries: list[SocketDelivery] = []
        self.connections = 0
        """How many sessions were welcomed so far."""
        self._conduits = conduits
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: dict[str, _Session] = {}
        self._reconnects: dict[str, str] = {}
        """Session ids by reconnect token."""
        self._server = serve(
            self._handle, HOST, 0, ping_interval=None, compression=None, max_size=2**16
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="sockets")
        self.url = f"ws://{HOST}:{self._server.socket.getsockname()[1]}/ws"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut()
        self._server.shutdown()
        self._thread.join()

    def session_ids(self) -> list[str]:
        """The open sessions, oldest first."""
        with self._lock:
            return list(self._sessions)

    def send(self, session_id: str, document: Document) -> None:
        """Send a message to a session; it is lost if the session is closed."""
        with self._lock:
            session = self._sessions.get(session_id)
        if session is not None:
            session.outbox.put(json.dumps(document, ensure_ascii=False))

    def keep_silent(self, seconds: float) -> None:
        """Send nothing on the open sessions for `seconds`, keepalives included; messages wait."""
        with self._lock:
            for session in self._sessions.values():
                session.silent_until = time.monotonic() + seconds

    def cut(self, *, after: int = 0) -> None:
        """Break the open connections without a close frame, after `after` more messages."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            if after:
                session.cut_after = after
            else:
                _break(session.connection)

    def close(self, code: int) -> None:
        """Close the open sessions with a close code."""
        with self._lock:
            for session in self._sessions.values():
                session.outbox.put(code)

    def reconnect(self) -> None:
        """Ask the clients of the open sessions to reconnect."""
        with self._lock:
            for session in self._sessions.values():
                token = secrets.token_hex(8)
                self._reconnects[token] = session.id
                body = self._session_document(session, "reconnecting")
                body |= {
                    "keepalive_timeout_seconds": None,
                    "reconnect_url": f"{self.url}?reconnect={token}",
                }
                session.outbox.put(self._message("session_reconnect", {"session": body}))
                threading.Thread(target=self._expire, args=(session,), daemon=True).start()

    def _handle(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed, OSError):
            query = parse_qs(urlsplit(connection.request.path).query if connection.request else "")
            if self.is_refusing:
                connection.close(1013, "try again later")
                return
            previous = self._previous(query)
            if previous is None and "reconnect" in query:
                connection.close(INVALID_RECONNECT, "invalid reconnect")
                return
            session = _Session(str(uuid.uuid4()), self._keepalive(query), connection)
            time.sleep(self.welcome_delay)
            self._serve(session, previous)

    def _serve(self, session: _Session, previous: _Session | None) -> None:
        with self._lock:
            self._sessions[session.id] = session
            self.connections += 1
        self._conduits.connect(session.id)
        try:
            if previous is not None:
                self._conduits.move(previous.id, session.id)  # events wait for the welcome
            body = self._session_document(session, "connected")
            session.connection.send(self._message("session_welcome", {"session": body}))
            if previous is not None:
                previous.replaced.set()
            threading.Thread(target=self._watch_inbound, args=(session,), daemon=True).start()
            self._send_all(session)
        finally:
            with self._lock:
                self._sessions.pop(session.id, None)
            self._conduits.disconnect(session.id)

    def _send_all(self, session: _Session) -> None:
        """Send what is queued, and keepalives in between, until the connection ends."""
        must_attach_by = time.monotonic() + self.attach_seconds
        last_sent = time.monotonic()
        while True:
            if session.connection.close_code is not None:
                return
            silence = session.silent_until - time.monotonic()
            if silence > 0:
                time.sleep(min(silence, 0.02))
                continue
            if self._is_unused(session, must_attach_by):
                session.connection.close(UNUSED, "connection unused")
                return
            try:
                item = session.outbox.get(timeout=0.02)
            except queue.Empty:
                if time.monotonic() - last_sent < session.keepalive:
                    continue
                item = self._message("session_keepalive", {})
            if isinstance(item, int):
                session.connection.close(item)
                return
            session.connection.send(item)
            last_sent = time.monotonic()
            self._record(session, item)

    def _record(self, session: _Session, text: str) -> None:
        document = json.loads(text)
        if document["metadata"]["message_type"] not in ("notification", "revocation"):
            return
        self.deliveries.append(SocketDelivery(session.id, document))
        if session.cut_after is not None:
            session.cut_after -= 1
            if session.cut_after <= 0:
                _break(session.connection)

    def _is_unused(self, session: _Session, must_attach_by: float) -> bool:
        if session.replaced.is_set():
            return False
        return time.monotonic() > must_attach_by and not self._conduits.is_attached(session.id)

    def _watch_inbound(self, session: _Session) -> None:
        """Close a session whose client sends anything."""
        with suppress(ConnectionClosed, OSError):
            session.connection.recv()
            session.outbox.put(INBOUND_TRAFFIC)

    def _expire(self, session: _Session) -> None:
        """Close a session whose client does not reconnect in time."""
        if not session.replaced.wait(self.grace_seconds):
            session.outbox.put(GRACE_EXPIRED)

    def _previous(self, query: dict[str, list[str]]) -> _Session | None:
        with self._lock:
            tokens = query.get("reconnect", [])
            session_id = self._reconnects.pop(tokens[0], None) if tokens else None
            return self._sessions.get(session_id) if session_id else None

    def _keepalive(self, query: dict[str, list[str]]) -> float:
        if self.keepalive is not None:
            return self.keepalive
        asked = query.get("keepalive_timeout_seconds", [""])[0]
        return int(asked) if asked.isdecimal() and int(asked) in KEEPALIVES else DEFAULT_KEEPALIVE

    def _session_document(self, session: _Session, status: str) -> Document:
        return {
            "id": session.id,
            "status": status,
            "keepalive_timeout_seconds": max(1, int(session.keepalive)),
            "reconnect_url": None,
            "connected_at": format_time(self._clock()),
        }

    def _message(self, kind: str, payload: Document) -> str:
        metadata = {
            "message_id": str(uuid.uuid4()),
            "message_type": kind,
            "message_timestamp": format_time(self._clock()),
        }
        return json.dumps({"metadata": metadata, "payload": payload})


def _break(connection: ServerConnection) -> None:
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)
