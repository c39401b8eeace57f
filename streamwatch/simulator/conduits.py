"""The application's conduits and their shards:
https://dev.twitch.tv/docs/eventsub/handling-conduit-events/"""

import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streamwatch.simulator.web import Document, Refused

DeleteListener = Callable[[str], None]

MAX_CONDUITS = 5
MAX_SHARDS = 20_000

ENABLED = "enabled"
DISCONNECTED = "websocket_disconnected"


@dataclass(slots=True)
class Shard:
    """A shard of a conduit, with the WebSocket session that it delivers to."""

    status: str = DISCONNECTED
    session_id: str | None = None


@dataclass(slots=True)
class Conduit:
    """A conduit and its shards by id."""

    id: str
    shards: dict[str, Shard] = field(default_factory=dict)

    def resize(self, shard_count: int) -> None:
        self.shards = {
            str(number): self.shards.get(str(number), Shard()) for number in range(shard_count)
        }

    def document(self) -> Document:
        return {"id": self.id, "shard_count": len(self.shards)}


class Conduits:
    """All conduits of the application, and the WebSocket sessions that shards can deliver to."""

    def __init__(self) -> None:
        self.delete_listeners: list[DeleteListener] = []
        """Called with the id of each deleted conduit."""
        self.attach_errors: deque[str] = deque()
        """Error codes for the next attachments, which fail inside a 202."""
        self._lock = threading.RLock()
        self._all: dict[str, Conduit] = {}
        self._sessions: set[str] = set()

    def exists(self, conduit_id: str) -> bool:
        return conduit_id in self._all

    def all(self) -> list[Conduit]:
        with self._lock:
            return list(self._all.values())

    def create(self, wanted: Any) -> Conduit:
        """Create a conduit from the body of a create call."""
        count = _shard_count(wanted)
        with self._lock:
            if len(self._all) >= MAX_CONDUITS:
                raise Refused(429, "the application has the maximum number of conduits")
            conduit = Conduit(str(uuid.uuid4()))
            conduit.resize(count)
            self._all[conduit.id] = conduit
            return conduit

    def update(self, wanted: Any) -> Conduit:
        """Change the number of shards."""
        count = _shard_count(wanted)
        with self._lock:
            conduit = self._find(wanted.get("id"))
            conduit.resize(count)
            return conduit

    def delete(self, conduit_id: str) -> None:
        """Delete a conduit with its subscriptions."""
        with self._lock:
            del self._all[self._find(conduit_id).id]
        for listener in self.delete_listeners:
            listener(conduit_id)

    def shards(self, conduit_id: str, status: str | None) -> list[Document]:
        """The shards of a conduit as Helix lists them, those with `status` if given."""
        with self._lock:
            return [
                {
                    "id": shard_id,
                    "status": shard.status,
                    "transport": {"method": "websocket", "session_id": shard.session_id},
                }
                for shard_id, shard in self._find(conduit_id).shards.items()
                if status in (None, shard.status)
            ]

    def attach(self, wanted: Any) -> Document:
        """Attach shards to WebSocket sessions, from the body of an update call; what was attached,
        and the errors of the others."""
        with self._lock:
            try:
                conduit = self._find(wanted["conduit_id"])
                pairs = [(item["id"], item["transport"]) for item in wanted["shards"]]
            except (KeyError, TypeError):
                raise Refused(400, "conduit_id and shards are required") from None
            data: list[Document] = []
            errors: list[Document] = []
            for shard_id, transport in pairs:
                code = self._attach(conduit, shard_id, transport)
                if code is None:
                    data.append({"id": shard_id, "status": ENABLED, "transport": transport})
                else:
                    errors.append({"id": shard_id, "message": "not attached", "code": code})
            return {"data": data, "errors": errors}

    def session_for(self, conduit_id: str, key: str) -> str | None:
        """The session of an enabled shard of the conduit; `key` selects among several."""
        with self._lock:
            conduit = self._all.get(conduit_id)
            shards = conduit.shards.values() if conduit else ()
            enabled = [shard.session_id for shard in shards if shard.status == ENABLED]
            return enabled[hash(key) % len(enabled)] if enabled else None

    def is_attached(self, session_id: str) -> bool:
        """Whether a shard delivers to this session."""
        return any(shard.session_id == session_id for shard in self._shards())

    def connect(self, session_id: str) -> None:
        """Let shards be attached to a session that has been welcomed."""
        self._sessions.add(session_id)

    def move(self, old_session_id: str, new_session_id: str) -> None:
        """Let the shards of a session deliver to the one that replaces it."""
        with self._lock:
            for shard in self._shards():
                if shard.session_id == old_session_id:
                    shard.session_id = new_session_id

    def disconnect(self, session_id: str, status: str = DISCONNECTED) -> None:
        """Disable the shards of a session that has ended."""
        with self._lock:
            self._sessions.discard(session_id)
            for shard in self._shards():
                if shard.session_id == session_id:
                    shard.session_id, shard.status = None, status

    def _attach(self, conduit: Conduit, shard_id: Any, transport: Any) -> str | None:
        """Attach one shard; the error code if that fails."""
        if self.attach_errors:
            return self.attach_errors.popleft()
        shard = conduit.shards.get(shard_id)
        if shard is None or not isinstance(transport, dict):
            return "invalid_parameter"
        session_id = transport.get("session_id")
        if transport.get("method") != "websocket" or not isinstance(session_id, str):
            return "unsupported_transport"
        if session_id not in self._sessions:
            return DISCONNECTED
        shard.session_id, shard.status = session_id, ENABLED
        return None

    def _find(self, conduit_id: Any) -> Conduit:
        conduit = self._all.get(conduit_id) if isinstance(conduit_id, str) else None
        if conduit is None:
            raise Refused(404, "conduit not found")
        return conduit

    def _shards(self) -> list[Shard]:
        return [shard for conduit in self.all() for shard in conduit.shards.values()]


def _shard_count(wanted: Any) -> int:
    count = wanted.get("shard_count") if isinstance(wanted, dict) else None
    if type(count) is not int or not 1 <= count <= MAX_SHARDS:
        raise Refused(400, f"shard_count must be a number from 1 to {MAX_SHARDS}")
    return count
