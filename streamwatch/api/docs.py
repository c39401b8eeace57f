"""The OpenAPI document, and Swagger UI whose assets are served from here."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Response, jsonify

from streamwatch.api.content_security_policy import content_security_policy
from streamwatch.static_files import file_response

_STATIC = Path(__file__).parent / "static"
_SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
_ASSETS = 'any("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")'


def documentation(build_document: Callable[[], dict[str, Any]]) -> Blueprint:
    """The blueprint that serves the OpenAPI document. It is built when it is first requested: that
    takes longer than everything else at the start of a web process."""
    blueprint = Blueprint("docs", __name__)
    document = cache(build_document)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(document())

    @blueprint.get("/docs", strict_slashes=False)
    def page() -> Response:
        response = file_response(_STATIC / "docs.html")
        # Swagger UI's icons are data: URLs.
        response.headers["Content-Security-Policy"] = content_security_policy("data:")
        return response

    @blueprint.get("/docs/init.js")
    def init() -> Response:
        return file_response(_STATIC / "docs.js")

    @blueprint.get(f"/docs/<{_ASSETS}:name>")
    def asset(name: str) -> Response:
        return file_response(_SWAGGER_UI / name)

    return blueprint
