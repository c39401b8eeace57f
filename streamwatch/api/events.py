"""The history: who went online and offline, newest first."""

import marshmallow as ma
from flask import Response
from marshmallow import fields, validate

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.json_provider import list_response
from streamwatch.api.schemas import EventsOfStreamerSchema, EventsOfTypeSchema, EventsSchema
from streamwatch.domain.models import EventType

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
    return list_response("events", services().events.newest_json(query["limit"]))


@blueprint.get("/type/<event_type:event_type>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfTypeSchema)
@blueprint.problems(503)
def list_events_of_type(query: dict[str, int], event_type: EventType) -> Response:
    """The newest events of a type

    Of all streamers, newest first.
    """
    events = services().events.of_type_json(event_type, query["limit"])
    return list_response("events", events, event_type=event_type)


@blueprint.get("/streamer/<login:username>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfStreamerSchema)
@blueprint.problems(503)
def list_events_of_streamer(query: dict[str, int], username: str) -> Response:
    """The newest events of a streamer

    Newest first; complete, however many events others had since.
    """
    events = services().events.of_streamer_json(username, query["limit"])
    return list_response("events", events, streamer=username.lower())
