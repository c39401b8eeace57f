"""The pages' blueprint: what every page needs, and who may send a form."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import Forbidden

from streamwatch import __version__
from streamwatch.api.context import services
from streamwatch.dashboard import filters, preferences
from streamwatch.dashboard.login_session import TOKEN_FIELD, current_session

blueprint = Blueprint(
    "dashboard",
    __name__,
    url_prefix="/dashboard",
    template_folder="templates",
    static_folder="static",
)


def register(app: Flask) -> None:
    """Serve the dashboard."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(filters=filters, token_field=TOKEN_FIELD)
    app.register_blueprint(blueprint)


@blueprint.before_request
def _refuse_other_sites_forms() -> None:
    """A form on another site's page must not act for whoever looks at it. A browser says where a
    request is from: https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site, and where
    it does not (over plain HTTP), in Origin. What acts for a session needs its token besides."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_ours = site in {"same-origin", "none"} if site else origin is None or _is_ours(origin)
    if not is_ours:
        raise Forbidden("This form was sent from another site.")


def _is_ours(origin: str) -> bool:
    return urlsplit(origin).netloc == request.host


@blueprint.context_processor
def _common() -> dict[str, Any]:
    settings = services().settings
    return {
        "version": __version__,
        "session": current_session(settings),
        "theme": preferences.theme(),
        "zone": preferences.zone(),
        "now": datetime.now(UTC),
    }


@blueprint.after_request
def _let_static_files_be_kept(response: Response) -> Response:
    """A browser keeps them, and asks each time whether they are still the same."""
    if request.endpoint == "dashboard.static":
        response.headers["Cache-Control"] = "no-cache"
    return response
