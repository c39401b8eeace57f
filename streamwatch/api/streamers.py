"""The monitored streamers."""

from dataclasses import asdict

from flask import Response, jsonify

from streamwatch.api import rate_limits
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.json_provider import document_response
from streamwatch.api.schemas import (
    AddedSchema,
    BulkAddedSchema,
    MessageSchema,
    StatusSchema,
    StreamersSchema,
    UsernamesSchema,
)
from streamwatch.domain.documents import streamer_document

blueprint = Blueprint(
    "streamers", __name__, url_prefix="/streamers", description="Who is monitored."
)


@blueprint.get("")
@blueprint.response(200, StreamersSchema)
@blueprint.problems(503)
def list_streamers() -> Response:
    """All monitored streamers

    The newest first.
    """
    streamers = [streamer_document(streamer) for streamer in services().streamers.all()]
    return jsonify(streamers=streamers, count=len(streamers))


@blueprint.post("")
@blueprint.arguments(UsernamesSchema)
@blueprint.response(200, BulkAddedSchema)
@blueprint.problems(400, 413, 415, 503)
def add_streamers(body: dict[str, list[str]]) -> Response:
    """Monitor many streamers

    Asks Twitch for 100 logins a call; subscriptions and live status follow within seconds.
    """
    usernames = body["usernames"]
    with rate_limits.lookup(calls=1 + len(usernames) // 100):
        return jsonify(asdict(services().streamers.add_many(usernames)))


@blueprint.post("/<login:username>")
@blueprint.response(201, AddedSchema)
@blueprint.alt_response(200, schema=AddedSchema, description="Monitored already", success=True)
@blueprint.problems(404, 502, 503)
def add_streamer(username: str) -> tuple[Response, int]:
    """Monitor a streamer

    Subscribes to their going online and offline, and looks whether they are live.
    """
    with rate_limits.lookup():
        added = services().streamers.add(username)
    streamer = streamer_document(added.streamer)
    done = "Added streamer" if added.created else "Monitored already"
    answer = jsonify(message=f"{done}: {added.streamer.login}", streamer=streamer)
    return answer, 201 if added.created else 200


@blueprint.delete("/<login:username>")
@blueprint.response(200, MessageSchema)
@blueprint.problems(404, 503)
def remove_streamer(username: str) -> Response:
    """Stop monitoring a streamer

    Both subscriptions and the live status go; the history stays.
    """
    removed = services().streamers.remove(username)
    return jsonify(message=f"Removed streamer: {removed.login}")


@blueprint.get("/<login:username>/status")
@blueprint.response(200, StatusSchema)
@blueprint.problems(404, 502, 503)
def show_status(username: str) -> Response:
    """Whether a streamer is live

    A streamer who is not monitored is asked of Twitch (`source: twitch_api`), and the answer is
    kept for a while.
    """
    return document_response(services().status.of_json(username, asking=rate_limits.lookup))
