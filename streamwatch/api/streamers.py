"""Monitored streamers: list, add, remove, and the status of one."""

from dataclasses import asdict
from functools import partial
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from streamwatch.api import cursors, rate_limits
from streamwatch.api.arguments import TagQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.documents import status_document, streamer_document
from streamwatch.api.responses import cached
from streamwatch.api.schemas import (
    AddedSchema,
    BulkAddedSchema,
    ChangedSchema,
    MessageSchema,
    StatusSchema,
    StreamersSchema,
    TagsSchema,
    UsernamesSchema,
)
from streamwatch.storage.base import Topic

blueprint = Blueprint(
    "streamers", __name__, url_prefix="/streamers", description="Monitored streamers."
)


CURSOR = "streamers"


class StreamersQuery(TagQuery):
    limit = fields.Integer(
        load_default=None,
        validate=validate.Range(1, 10_000),
        metadata={"description": "The default is all streamers."},
    )
    after = cursors.CursorField(CURSOR)


@blueprint.get("")
@blueprint.arguments(StreamersQuery, location="query")
@blueprint.response(200, StreamersSchema, headers=cursors.LINK_HEADER)
@blueprint.problems(503)
@cached(Topic.STREAMERS)
def list_streamers(query: dict[str, Any]) -> Response:
    """List the monitored streamers

    Lists all streamers, or those with a tag, the last added first.
    """
    read = partial(services().streamers.page, tag=query["tag"])
    page = cursors.page(CURSOR, query, read)
    return page.respond(streamers=[streamer_document(streamer) for streamer in page.items])


@blueprint.post("")
@blueprint.arguments(UsernamesSchema)
@blueprint.response(200, BulkAddedSchema)
@blueprint.problems(400, 413, 415, 502, 503)
def add_streamers(body: dict[str, Any]) -> Response:
    """Monitor many streamers

    Looks up 100 logins in each call to Twitch. Subscriptions and live status follow within seconds.
    """
    usernames = body["usernames"]
    with rate_limits.lookup(len(usernames)):
        return jsonify(asdict(services().streamers.add_many(usernames, body["tags"])))


@blueprint.post("/<login:username>")
@blueprint.response(201, AddedSchema)
@blueprint.alt_response(200, schema=AddedSchema, description="Monitored already", success=True)
@blueprint.problems(404, 502, 503)
def add_streamer(username: str) -> tuple[Response, int]:
    """Monitor a streamer

    Subscribes to the start and end of the streamer's streams, and asks Twitch whether the streamer
    is live.
    """
    with rate_limits.lookup():
        added = services().streamers.add(username)
    streamer = streamer_document(added.streamer)
    done = "Added streamer" if added.created else "Monitored already"
    answer = jsonify(message=f"{done}: {added.streamer.login}", streamer=streamer)
    return answer, 201 if added.created else 200


@blueprint.patch("/<login:username>")
@blueprint.arguments(TagsSchema)
@blueprint.response(200, ChangedSchema)
@blueprint.problems(400, 404, 413, 415, 503)
def change_streamer(body: dict[str, list[str]], username: str) -> Response:
    """Change the tags of a streamer

    The given tags replace the existing ones. They are stored sorted and without duplicates.
    """
    return jsonify(
        streamer=streamer_document(services().streamers.set_tags(username, body["tags"]))
    )


@blueprint.delete("/<login:username>")
@blueprint.response(200, MessageSchema)
@blueprint.problems(404, 503)
def remove_streamer(username: str) -> Response:
    """Stop monitoring a streamer

    Deletes the streamer's subscriptions and live status. The history of events stays.
    """
    removed = services().streamers.remove(username)
    return jsonify(message=f"Removed streamer: {removed.login}")


@blueprint.get("/<login:username>/status")
@blueprint.response(200, StatusSchema)
@blueprint.problems(404, 502, 503)
@cached(Topic.LIVE, Topic.STREAMERS)
def show_status(username: str) -> Response:
    """Show whether a streamer is live

    The status of a streamer who is not monitored is looked up at Twitch (`source: twitch_api`) and
    cached for `LOOKUP_TTL_SECONDS`.
    """
    found = services().status.find(username, guard=rate_limits.lookup)
    return jsonify(status_document(found.status, found.source))
