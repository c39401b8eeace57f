"""Live streams."""

from typing import Any

from flask import Response, jsonify

from streamwatch.api.arguments import TagQuery
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services, tagged
from streamwatch.api.documents import status_document
from streamwatch.api.responses import cached
from streamwatch.api.schemas import LiveStreamsSchema
from streamwatch.storage.base import Topic

blueprint = Blueprint("streams", __name__, url_prefix="/streams", description="Live streams.")


@blueprint.get("/live")
@blueprint.arguments(TagQuery, location="query")
@blueprint.response(200, LiveStreamsSchema)
@blueprint.problems(503)
@cached(Topic.LIVE, Topic.STREAMERS)
def list_live_streams(query: dict[str, Any]) -> Response:
    """List the live streams

    Lists the live streams of all streamers, or of those with a tag, most viewers first.
    """
    found = services().live_directory.find(user_ids=tagged(query["tag"]))
    live = [status_document(item.status) for item in found]
    return jsonify(live_streams=live, count=len(live))
