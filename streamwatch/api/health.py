"""The index, and health checks."""

from flask import Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from streamwatch import __version__
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.errors import RETRY_AFTER_HEADER
from streamwatch.api.schemas import AliveSchema, HealthSchema, IndexSchema
from streamwatch.problems import PROBLEMS
from streamwatch.services.monitoring.health import UNHEALTHY
from streamwatch.storage.base import StorageUnavailable

blueprint = Blueprint("health", __name__, description="The index and health checks.")

_JSON, _HTML = "application/json", "text/html"


@blueprint.get("/")
@blueprint.response(200, IndexSchema)
@blueprint.alt_response(
    302,
    schema={"type": "string"},
    description="For browsers (`Accept: text/html`): the dashboard's address.",
    content_type=f"{_HTML}; charset=utf-8",
)
def index() -> BaseResponse:
    """Show name and version

    Also shows the path of the API's documentation. Browsers are redirected to the dashboard.
    """
    is_browser = request.accept_mimetypes.best_match([_JSON, _HTML]) == _HTML
    response = redirect(url_for("dashboard.show_live")) if is_browser else _index()
    response.headers.add("Vary", "Accept")
    return response


def _index() -> Response:
    return jsonify(
        name="StreamWatch",
        message="Which Twitch streamers are live, what happened, and statistics of their streams.",
        version=__version__,
        docs="/docs",
    )


@blueprint.get("/health")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(
    503, schema=HealthSchema, description="The storage is down.", headers=RETRY_AFTER_HEADER
)
def health() -> tuple[Response, int, dict[str, str]]:
    """Check the health of the service

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
    if found.status == UNHEALTHY:
        return answer, 503, {"Retry-After": str(PROBLEMS[StorageUnavailable].retry_after)}
    return answer, 200, {}


@blueprint.get("/health/live")
@blueprint.response(200, AliveSchema)
def health_live() -> Response:
    """Check liveness

    Uses no database.
    """
    return jsonify(status="alive")
