"""Badges: an image that says whether a streamer is live, for other sites to embed."""

from flask import Response

from streamwatch.api.badge_image import badge
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.responses import cached, revalidated
from streamwatch.domain.models import StreamStatus
from streamwatch.storage.base import Topic

blueprint = Blueprint(
    "badges", __name__, url_prefix="/badges", description="Images for other sites."
)

SVG = "image/svg+xml"

_RED, _DARK_GREY, _GREY = "#c8103c", "#4d5564", "#6b7280"


@blueprint.get("/<login:username>.svg")
@blueprint.response(200, {"type": "string"}, description="An SVG image", content_type=SVG)
@blueprint.problems(503)
@cached(Topic.LIVE, Topic.STREAMERS)
def show_badge(username: str) -> Response:
    """Show a badge

    Returns an image of less than 2 kB that says whether a monitored streamer is live, and with how
    many viewers. For any other login it says "not watched". Twitch is not called.
    """
    streamer = services().streamers.find(username)
    if streamer is None:
        image = badge(username.lower(), "not watched", _GREY)
    else:
        image = badge(streamer.display_name, *_state(services().status.known(username)))
    return revalidated(Response(image, content_type=SVG))


def _state(status: StreamStatus | None) -> tuple[str, str]:
    """The text and the color of a badge."""
    if status is None:
        return "not known yet", _GREY
    if status.stream is None:
        return "offline", _DARK_GREY
    viewers = status.stream.viewer_count
    if viewers is None:
        return "live", _RED
    return f"live · {viewers:,} {'viewer' if viewers == 1 else 'viewers'}", _RED
