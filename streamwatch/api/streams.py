"""Live streams."""

from flask import Response, jsonify

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.documents import status_document
from streamwatch.api.responses import cached
from streamwatch.api.schemas import LiveStreamsSchema
from streamwatch.storage.base import Topic

blueprint = Blueprint("streams", __name__, url_prefix="/streams", description="Live streams.")


@blueprint.get("/live")
@blueprint.response(200, LiveStreamsSchema)
@blueprint.problems(503)
@cached(Topic.LIVE)
def list_live_streams() -> Response:
    """List the live streams

    Most viewers first.
    """
    live = [status_document(item.status) for item in services().live_directory.find()]
    return jsonify(live_streams=live, count=len(live))
