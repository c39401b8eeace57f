"""The history of events, newest first."""

from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate

from streamwatch.api.arguments import TagQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services, tagged
from streamwatch.api.responses import cached
from streamwatch.api.schemas import EventsOfStreamerSchema, EventsOfTypeSchema, EventsSchema
from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.services.documents import event_document
from streamwatch.storage.base import Topic

blueprint = Blueprint(
    "events", __name__, url_prefix="/events", description="The history of events."
)


class EventsQuery(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))


class TaggedEventsQuery(EventsQuery, TagQuery):
    pass


@blueprint.get("")
@blueprint.arguments(TaggedEventsQuery, location="query")
@blueprint.response(200, EventsSchema)
@blueprint.problems(503)
@cached(Topic.EVENTS, Topic.STREAMERS)
def list_events(query: dict[str, Any]) -> Response:
    """List the newest events

    Of all streamers, or of those with a tag; newest first.
    """
    return _list(services().events.newest(query["limit"], tagged(query["tag"])))


@blueprint.get("/type/<event_type:event_type>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfTypeSchema)
@blueprint.problems(503)
@cached(Topic.EVENTS)
def list_events_of_type(query: dict[str, int], event_type: EventType) -> Response:
    """List the newest events of a type

    Of all streamers, newest first.
    """
    return _list(services().events.of_type(event_type, query["limit"]), event_type=event_type)


@blueprint.get("/streamer/<login:username>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfStreamerSchema)
@blueprint.problems(503)
@cached(Topic.EVENTS, Topic.LIVE, Topic.STREAMERS)  # a rename changes whose login it is
def list_events_of_streamer(query: dict[str, int], username: str) -> Response:
    """List the newest events of a streamer

    Newest first; complete, however many events other streamers had since.
    """
    events = services().events.of_streamer(username, query["limit"])
    return _list(events, streamer=username.lower())


def _list(events: list[StreamEvent], **about: str) -> Response:
    documents = [event_document(event) for event in events]
    return jsonify(events=documents, count=len(documents), **about)
