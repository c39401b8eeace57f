"""What there is, and whether it works."""

from flask import Response, jsonify

from streamwatch import __version__
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.schemas import AliveSchema, HealthSchema, IndexSchema
from streamwatch.services.monitoring.health import UNHEALTHY

blueprint = Blueprint("basic", __name__, description="What there is, and whether it works.")


@blueprint.get("/")
@blueprint.response(200, IndexSchema)
def index() -> Response:
    """What this is

    The service's name and version, and where its API is documented.
    """
    return jsonify(
        name="StreamWatch",
        message="Who is live on Twitch, what happened, and how their streams do.",
        version=__version__,
        docs="/docs",
    )


@blueprint.get("/health")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(503, schema=HealthSchema, description="The storage is down.")
def health() -> tuple[Response, int]:
    """Whether the service can do its work

    `degraded` while the analytics are down, the worker is stale, EventSub is disconnected or Twitch
    refuses the credentials; `unhealthy`, with 503, while the storage is down.
    """
    found = services().health.check()
    answer = jsonify(
        status=found.status,
        storage=found.storage,
        analytics=found.analytics,
        worker=found.worker,
        eventsub=found.eventsub,
        twitch=found.twitch,
        version=__version__,
    )
    return answer, 503 if found.status == UNHEALTHY else 200


@blueprint.get("/health/live")
@blueprint.response(200, AliveSchema)
def health_live() -> Response:
    """Whether the process serves

    Asks nothing of any database.
    """
    return jsonify(status="alive")
