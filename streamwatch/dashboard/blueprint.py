"""The blueprint of all pages: template context and response headers.

`api.auth` refuses forms that another site's page sends.
"""

from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, url_for

from streamwatch import __version__
from streamwatch.api.content_security_policy import content_security_policy
from streamwatch.api.context import services
from streamwatch.dashboard import assets, filters, images, plots, preferences
from streamwatch.dashboard.login_session import TOKEN_FIELD, current_session
from streamwatch.domain.times import utc_now

blueprint = Blueprint(
    "dashboard",
    __name__,
    url_prefix="/dashboard",
    template_folder="templates",
)


def register(app: Flask) -> None:
    """Serve the dashboard."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=asset_url, filters=filters, images=images, plots=plots, token_field=TOKEN_FIELD
    )
    app.register_blueprint(blueprint)
    # Browsers ask for it at the root for pages that name no icon, such as an RSS feed.
    app.add_url_rule(
        "/favicon.ico", "dashboard.show_root_favicon", partial(assets.file_of, "favicon.ico")
    )


def asset_url(name: str) -> str:
    """The URL of a static file. It changes whenever a static file does."""
    return url_for("dashboard.serve_asset", digest=assets.digest(), name=name)


@blueprint.get("/static/<name>", defaults={"digest": ""})
@blueprint.get("/static/<digest>/<path:name>")
def serve_asset(digest: str, name: str) -> Response:
    """A static file. A page of another version asks for an old digest: it gets the present file,
    but must not cache it under that URL."""
    response = assets.file_of(name)
    if digest == assets.digest():
        response.headers["Cache-Control"] = f"public, max-age={assets.YEAR_SECONDS}, immutable"
    return response


@blueprint.context_processor
def _page_context() -> dict[str, Any]:
    settings = services().settings
    return {
        "version": __version__,
        "session": current_session(settings),
        "theme": preferences.theme(),
        "backgrounds": preferences.BACKGROUNDS,
        "zone": preferences.zone(),
        "now": utc_now(),
    }


@blueprint.after_request
def _set_headers(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = content_security_policy(*images.origins())
    return response
