"""The streams that are on."""

from flask import Response

from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.json_provider import list_response
from streamwatch.api.schemas import LiveStreamsSchema

blueprint = Blueprint("streams", __name__, url_prefix="/streams", description="Who is live.")


@blueprint.get("/live")
@blueprint.response(200, LiveStreamsSchema)
@blueprint.problems(503)
def list_live_streams() -> Response:
    """All who are live

    Most viewers first.
    """
    return list_response("live_streams", services().status.live_json())
