"""The API's documentation: its OpenAPI document, and Swagger UI to read it. Everything is served
from here: nothing of elsewhere is loaded."""

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, jsonify, send_from_directory

from streamwatch.api.headers import POLICY
from streamwatch.api.openapi import Api

_OURS = Path(__file__).parent / "static"
_SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
_ASSETS = 'any("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")'


def documentation(api: Api) -> Blueprint:
    """The pages on what is registered with `api`: call it last."""
    blueprint = Blueprint("docs", __name__)
    document = api.spec.to_dict()

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(document)

    @blueprint.get("/docs", strict_slashes=False)
    def page() -> Response:
        response = send_from_directory(_OURS, "docs.html")
        response.headers["Content-Security-Policy"] = f"{POLICY}; img-src 'self' data:"
        return response  # Swagger UI's icons are data: URLs

    @blueprint.get("/docs/init.js")
    def init() -> Response:
        return send_from_directory(_OURS, "docs.js")

    @blueprint.get(f"/docs/<{_ASSETS}:name>")
    def asset(name: str) -> Response:
        return send_from_directory(_SWAGGER_UI, name)

    return blueprint
