"""Push of events by Server-Sent Events (https://html.spec.whatwg.org/#server-sent-events)."""

import logging
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response, request
from marshmallow import ValidationError, fields, validate

from streamwatch.api import rate_limits
from streamwatch.api.arguments import LoginField, TagQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.documents import push_document
from streamwatch.services.errors import TooManyListeners
from streamwatch.services.push.broadcaster import Listener
from streamwatch.services.push.translator import PushEvent, PushEventType
from streamwatch.storage.base import StorageUnavailable

log = logging.getLogger(__name__)

blueprint = Blueprint(
    "push", __name__, url_prefix="/events", description="Events pushed as they happen."
)

_EVENT_ID = re.compile("[!-~]{1,64}")
"""What the id of a feed entry may contain: visible ASCII. The id is sent back to the client, which
would read a line after a newline in it as another field."""

HEARTBEAT_SECONDS = 15.0
_RETRY_MS = 3000
_SURPLUS_RETRY_MS = 10_000
"""After how long a client that found no free stream reconnects. After an HTTP error, an EventSource
would never reconnect."""

_DISCONNECT_CHECK_SECONDS = 0.5
"""How often the connection is checked: a client that has gone makes room for another."""


def _check_event_id(value: str) -> None:
    if not _EVENT_ID.fullmatch(value):
        raise ValidationError("Not an id of an event: send the `id` of the last one.")


class EventStreamQuery(TagQuery):
    after = fields.String(
        load_default=None,
        validate=_check_event_id,
        metadata={
            "description": "Begin after the Server-Sent Event with this `id`, as with the header"
            " `Last-Event-ID`, which takes precedence.",
            "pattern": f"^{_EVENT_ID.pattern}$",
        },
    )
    streamer = fields.List(
        LoginField(), metadata={"description": "Only send events of this login. May be repeated."}
    )
    type = fields.List(
        fields.String(validate=validate.OneOf(list(PushEventType))),
        metadata={"description": "Only send events of this type. May be repeated."},
    )


@blueprint.get("/live")
@blueprint.arguments(EventStreamQuery, location="query")
@blueprint.response(
    200, {"type": "string"}, description="An endless stream", content_type="text/event-stream"
)
@blueprint.problems(503)
def follow_events(query: dict[str, Any]) -> Response:
    """Follow events as they happen

    Sends Server-Sent Events until the client disconnects. `stream.online`, `stream.offline` and
    `channel.update` carry an Event, `stream.viewers` a Snapshot. `stream.category` and
    `stream.title` are deprecated and will be removed in the next version: they carry a Snapshot
    with `previous` when a live stream changes. `gap` means that some earlier events are no longer
    stored. After a reconnect with the header `Last-Event-ID`, which browsers send by themselves,
    the events since that id are sent first. A comment is sent every 15 seconds. A client may have 8
    streams open, and a process 200. A further request gets `retry: 10000` and its stream ends, so
    that a browser tries again after 10 seconds.
    """
    try:
        listener = services().broadcaster.listen(
            after=_last_event_id(query["after"]), client=rate_limits.client_id()
        )
    except TooManyListeners as error:
        log.info("A client of /events/live got no event stream: %s", error)
        return Response(b"retry: %d\n\n" % _SURPLUS_RETRY_MS, content_type="text/event-stream")
    logins = {login.lower() for login in query.get("streamer", ())}
    types = set(query.get("type", ()))
    tag, tags = query["tag"], services().tags

    def is_wanted(event: PushEvent) -> bool:
        if event.subject is None:  # a gap
            return True
        if (logins and event.login not in logins) or (types and event.type not in types):
            return False
        # Tags change while the client listens, so each event is looked up.
        return tag is None or event.subject.broadcaster_id in tags.user_ids(tag)

    is_connected = _connection(request.environ)
    response = Response(
        _stream(listener, is_wanted, is_connected), content_type="text/event-stream"
    )
    response.headers["X-Accel-Buffering"] = "no"  # nginx hands on each event at once
    response.call_on_close(listener.close)
    return response


def _last_event_id(in_url: str | None) -> str | None:
    """Where the client resumes. A header that is no id is unknown, which is answered by a gap."""
    given = request.headers.get("Last-Event-ID", in_url)
    return given if given is None or _EVENT_ID.fullmatch(given) else "unknown"


def _stream(
    listener: Listener, is_wanted: Callable[[PushEvent], bool], is_connected: Callable[[], bool]
) -> Iterator[bytes]:
    """The bytes for one client, until it has gone or the process ends."""
    yield b"retry: %d\n%b\n" % (_RETRY_MS, _id_field(listener.cursor))
    sent_at = time.monotonic()
    try:
        for cursor, event in listener.events(_DISCONNECT_CHECK_SECONDS):
            if event is not None and is_wanted(event):
                data = orjson.dumps(push_document(event))
                yield b"event: %b\ndata: %b\n%b\n" % (event.type.encode(), data, _id_field(cursor))
            elif not is_connected():
                return
            elif time.monotonic() - sent_at >= HEARTBEAT_SECONDS:
                yield b": still here\n%b\n" % _id_field(cursor)
            else:
                continue
            sent_at = time.monotonic()
    except StorageUnavailable as error:  # the client reconnects with its Last-Event-ID
        log.warning("A stream of /events/live was ended: %s", error)


def _id_field(cursor: str | None) -> bytes:
    """The field with the id that the client sends as Last-Event-ID when it reconnects."""
    return b"" if cursor is None else b"id: %b\n" % cursor.encode()


def _connection(environ: dict[str, Any]) -> Callable[[], bool]:
    """A function that says whether the client is still connected. Without it, that would show only
    at a later write, and a browser that loads page after page would use up its streams."""
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
