"""Reading of the API by pages of the origins in CORS_ORIGINS
(https://fetch.spec.whatwg.org/#http-cors-protocol).

Reading only, and never with cookies: a page of another origin gets what a program without cookies
gets. Changes from other origins are refused by `auth.py`, whatever CORS_ORIGINS says.
"""

from flask import Flask, Response, request

from streamwatch.api.auth import is_under
from streamwatch.api.context import services

_READING = ("GET", "HEAD")
_ALLOWED_HEADERS = "Authorization, If-None-Match, Last-Event-ID"
_EXPOSED_HEADERS = "ETag, Link, Retry-After"
_MAX_AGE_SECONDS = 600
_ANY = "*"


def register(app: Flask) -> None:
    """Add the headers to the responses of `app`. Register it before the response cache: Flask runs
    `after_request` functions in reverse order, and these headers must not be cached."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    if is_under(request.path, "/dashboard"):
        return response
    origins = services().settings.cors_origins
    if not origins:
        return response
    if _ANY not in origins:
        response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is None or (_ANY not in origins and origin.lower() not in origins):
        return response
    allowed = _ANY if _ANY in origins else origin
    if request.method == "OPTIONS":
        if request.headers.get("Access-Control-Request-Method") in _READING:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Allow-Methods"] = ", ".join(_READING)
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
    elif request.method in _READING:
        response.headers["Access-Control-Allow-Origin"] = allowed
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    return response
