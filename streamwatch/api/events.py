"""The history: who went online and offline, newest first."""

from collections.abc import Iterable
from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.schemas import EventsOfStreamerSchema, EventsOfTypeSchema, EventsSchema
from streamwatch.domain.documents import event_document
from streamwatch.domain.models import EventType, StreamEvent

blueprint = Blueprint("events", __name__, url_prefix="/events", description="What happened.")


class EventsQuery(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))


@blueprint.get("")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsSchema)
@blueprint.problems(503)
def list_events(query: dict[str, int]) -> Response:
    """The newest events

    Of all streamers, newest first.
    """
    return _answer(services().history.newest(query["limit"]))


@blueprint.get("/type/<event_type:event_type>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfTypeSchema)
@blueprint.problems(503)
def list_events_of_type(query: dict[str, int], event_type: EventType) -> Response:
    """The newest events of a type

    Of all streamers, newest first.
    """
    events = services().history.of_type(event_type, query["limit"])
    return _answer(events, event_type=event_type)


@blueprint.get("/streamer/<login:username>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfStreamerSchema)
@blueprint.problems(503)
def list_events_of_streamer(query: dict[str, int], username: str) -> Response:
    """The newest events of a streamer

    Newest first; complete, however many events others had since.
    """
    events = services().history.of_streamer(username, query["limit"])
    return _answer(events, streamer=username.lower())


def _answer(events: Iterable[StreamEvent], **more: Any) -> Response:
    documents = [event_document(event) for event in events]
    return jsonify(events=documents, count=len(documents), **more)
