"""The history of events, newest first."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields, validate

from streamwatch.api import cursors
from streamwatch.api.arguments import TagQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services, tagged
from streamwatch.api.responses import cached
from streamwatch.api.schemas import EventsOfStreamerSchema, EventsOfTypeSchema, EventsSchema
from streamwatch.domain.models import EventType, StreamEvent
from streamwatch.domain.positions import Position
from streamwatch.services.documents import event_document
from streamwatch.storage.base import Topic

blueprint = Blueprint(
    "events", __name__, url_prefix="/events", description="The history of events."
)


CURSOR = "events"

Query = dict[str, Any]


class EventsQuery(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))
    after = cursors.CursorField(CURSOR)


class TaggedEventsQuery(EventsQuery, TagQuery):
    pass


@blueprint.get("")
@blueprint.arguments(TaggedEventsQuery, location="query")
@blueprint.response(200, EventsSchema, headers=cursors.LINK_HEADER)
@blueprint.problems(503)
@cached(Topic.EVENTS, Topic.STREAMERS)
def list_events(query: Query) -> Response:
    """List the newest events

    Lists the events of all streamers, or of those with a tag, newest first.
    """
    return _list(query, partial(services().events.newest, user_ids=tagged(query["tag"])))


@blueprint.get("/type/<event_type:event_type>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfTypeSchema, headers=cursors.LINK_HEADER)
@blueprint.problems(503)
@cached(Topic.EVENTS)
def list_events_of_type(query: Query, event_type: EventType) -> Response:
    """List the newest events of a type

    Lists the events of all streamers, newest first.
    """
    read = partial(services().events.of_type, event_type)
    return _list(query, read, event_type=event_type)


@blueprint.get("/streamer/<login:username>")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EventsOfStreamerSchema, headers=cursors.LINK_HEADER)
@blueprint.problems(503)
@cached(Topic.EVENTS, Topic.LIVE, Topic.STREAMERS)  # a rename changes whose login it is
def list_events_of_streamer(query: Query, username: str) -> Response:
    """List the newest events of a streamer

    Lists the newest first. Events of other streamers do not displace them.
    """
    read = partial(services().events.of_streamer, username)
    return _list(query, read, streamer=username.lower())


def _list(
    query: Query, read: Callable[[int, Position | None], Sequence[StreamEvent]], **about: str
) -> Response:
    page = cursors.page(CURSOR, query, read)
    return page.respond(events=[event_document(event) for event in page.items], **about)
