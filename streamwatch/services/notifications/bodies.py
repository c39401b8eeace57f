"""The bodies of webhooks."""

import orjson

from streamwatch.domain.models import StreamEvent
from streamwatch.domain.notifications.models import OFFLINE
from streamwatch.services.documents import Document
from streamwatch.services.notifications.context import EventContext, live_stream
from streamwatch.services.notifications.payloads import (
    MAX_BODY_BYTES,
    ended_session,
    payload,
    reduced,
)
from streamwatch.storage.base import Storage


class WebhookBodies:
    """Builds the webhook body of an event from the current state. It is the same for every
    notification."""

    def __init__(self, storage: Storage, context: EventContext) -> None:
        self._storage = storage
        self._context = context

    def make(self, event: StreamEvent, event_type: str, stream_id: str | None) -> str:
        """The body of an event: JSON of fewer than MAX_BODY_BYTES bytes."""
        user_id = event.broadcaster_id
        streamer = self._storage.streamers_by_id([user_id]).get(user_id)
        status = self._storage.status(user_id)
        stream = None if event_type == OFFLINE else live_stream(status, stream_id)
        session = self._context.session(stream_id) if event_type == OFFLINE else None
        if session is not None:
            session = ended_session(session, event.timestamp)
        document = payload(event, event_type, streamer, stream, session)
        return to_body(document)


def to_body(document: Document) -> str:
    """A payload as JSON, reduced if it is too large."""
    body = orjson.dumps(document)
    if len(body) >= MAX_BODY_BYTES:
        body = orjson.dumps(reduced(document))
    return body.decode()
