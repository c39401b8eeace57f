"""What browsers need to install the dashboard as an application: manifest, icons, service worker.

All of it is under `static/`, which is open to browsers without a key.
"""

from flask import Response, jsonify, render_template, url_for

from streamwatch.dashboard import assets
from streamwatch.dashboard.blueprint import asset_url, blueprint
from streamwatch.dashboard.preferences import BACKGROUNDS

ICON_SIZES = (192, 512)


@blueprint.get("/static/manifest.webmanifest")
def show_manifest() -> Response:
    """The web application manifest: https://www.w3.org/TR/appmanifest/"""
    icons = [
        {"src": asset_url(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in ICON_SIZES
    ]
    logo = {"src": asset_url("logo.svg"), "sizes": "any", "type": "image/svg+xml"}
    start = url_for("dashboard.show_live")
    response = jsonify(
        id=start,
        name="StreamWatch",
        short_name="StreamWatch",
        description="Which Twitch streamers are live, and how their streams perform.",
        start_url=start,
        scope=start,
        display="standalone",
        background_color=BACKGROUNDS["dark"],
        theme_color=BACKGROUNDS["dark"],
        icons=[*icons, logo],
    )
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/static/service-worker.js")
def show_service_worker() -> Response:
    """The service worker. The header lets it control all pages of the dashboard."""
    response = assets.file_of("service-worker.js")
    response.headers["Service-Worker-Allowed"] = url_for("dashboard.show_live")
    return response


@blueprint.get("/static/offline")
def show_offline() -> str:
    """The page that the service worker shows while the server is not reachable."""
    return render_template("dashboard/offline.html")


@blueprint.get("/static/favicon.ico")
def show_favicon() -> Response:
    return assets.file_of("favicon.ico")
