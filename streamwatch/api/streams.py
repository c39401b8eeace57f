"""The streams that are on."""

from flask import Response, jsonify

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.schemas import LiveStreamsSchema
from streamwatch.domain.documents import status_document
from streamwatch.services.statuses import STORAGE

blueprint = Blueprint("streams", __name__, url_prefix="/streams", description="Who is live.")


@blueprint.get("/live")
@blueprint.response(200, LiveStreamsSchema)
@blueprint.problems(503)
def list_live_streams() -> Response:
    """All who are live

    Most viewers first.
    """
    live = [status_document(status) | {"source": STORAGE} for status in services().statuses.live()]
    return jsonify(live_streams=live, count=len(live))
