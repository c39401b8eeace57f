"""Events as they happen, as Server-Sent Events (https://html.spec.whatwg.org/#server-sent-events)."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import marshmallow as ma
import orjson
from flask import Response, request
from marshmallow import fields, validate

from streamwatch.api.arguments import LoginField
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.services.push.broadcaster import Listener
from streamwatch.services.push.translator import PushEvent, PushEventType
from streamwatch.storage.base import StorageUnavailable

log = logging.getLogger(__name__)

blueprint = Blueprint("live", __name__, url_prefix="/events", description="As it happens.")

HEARTBEAT_SECONDS = 15.0
_RETRY_MS = 3000
_LOOK_SECONDS = 0.5
"""How soon a client who has gone makes room for another."""


class LiveQuery(ma.Schema):
    streamer = fields.List(
        LoginField(), metadata={"description": "Only of these; repeated for several."}
    )
    type = fields.List(
        fields.String(validate=validate.OneOf(list(PushEventType))),
        metadata={"description": "Only these; repeated for several."},
    )


@blueprint.get("/live")
@blueprint.arguments(LiveQuery, location="query")
@blueprint.response(
    200, {"type": "string"}, description="An endless stream", content_type="text/event-stream"
)
@blueprint.problems(503)
def follow_events(query: dict[str, list[str]]) -> Response:
    """Events as they happen

    Server-Sent Events until the client goes. `stream.online` and `stream.offline` carry an Event,
    `stream.viewers`, `stream.category` and `stream.title` a Snapshot, the latter two with
    `previous`; `gap` says that some of what happened is no longer kept. With the header
    `Last-Event-ID`, which a browser sends by itself, everything since then comes first. A comment
    comes every 15 seconds. Each process serves a limited number of clients; one more gets 503 with
    Retry-After, and polls meanwhile.
    """
    listener = services().broadcaster.listen(after=request.headers.get("Last-Event-ID"))
    logins = {login.lower() for login in query.get("streamer", ())}
    types = set(query.get("type", ()))

    def is_wanted(event: PushEvent) -> bool:
        if event.type is PushEventType.GAP:
            return True
        return (not logins or event.login in logins) and (not types or event.type in types)

    is_connected = _connection(request.environ)
    response = Response(
        _stream(listener, is_wanted, is_connected), content_type="text/event-stream"
    )
    response.headers["X-Accel-Buffering"] = "no"  # nginx hands on each event at once
    response.call_on_close(listener.close)
    return response


def _stream(
    listener: Listener, is_wanted: Callable[[PushEvent], bool], is_connected: Callable[[], bool]
) -> Iterator[bytes]:
    """The bytes for one client, until it has gone or the process ends."""
    yield b"retry: %d\n%b\n" % (_RETRY_MS, _place(listener.place))
    spoke_at = time.monotonic()
    try:
        for place, event in listener.events(_LOOK_SECONDS):
            if event is not None and is_wanted(event):
                data = orjson.dumps(event.data)
                yield b"event: %b\ndata: %b\n%b\n" % (event.type.encode(), data, _place(place))
            elif not is_connected():
                return
            elif time.monotonic() - spoke_at >= HEARTBEAT_SECONDS:
                yield b": still here\n%b\n" % _place(place)
            else:
                continue
            spoke_at = time.monotonic()
    except StorageUnavailable as error:  # the client comes back to where it was
        log.warning("A client of live events was sent away: %s", error)


def _place(place: str | None) -> bytes:
    """Where the client resumes from."""
    return b"" if place is None else b"id: %b\n" % place.encode()


def _connection(environ: dict[str, Any]) -> Callable[[], bool]:
    """Says whether the client is still there. Without it, that would show only at a later write,
    and a browser that walks from page to page would use up all places."""
    found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if not isinstance(found, socket.socket):
        return lambda: True
    connection = found

    def is_connected() -> bool:
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    return is_connected
