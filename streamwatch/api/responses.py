"""What all GET responses share: ETag, Cache-Control, compression, conditional requests, caching."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_compress import Compress

from streamwatch.api import csv_export
from streamwatch.api.cache import CachedResponse, Key, ResponseCache
from streamwatch.storage.base import Coordination, Topic

View = TypeVar("View", bound=Callable[..., Any])

MIN_COMPRESSED_BYTES = 1000
COMPRESSED_TYPES = (
    "application/json",
    "application/problem+json",
    "application/javascript",
    "application/rss+xml",
    "image/svg+xml",
    "text/calendar",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/plain",
)
"""Server-Sent Events are not among them: each event has to be sent at once."""

_EXTENSION = "streamwatch.cache"
_MAX_QUERY_BYTES = 500
_UNCACHED_HEADERS = {"content-length", "date"}


def cached(*topics: Topic) -> Callable[[View], View]:
    """Cache the responses of a view, which are made from these topics alone."""

    def decorate(view: View) -> View:
        view.cache_topics = topics  # type: ignore[attr-defined]  # functools.wraps carries it along
        return view

    return decorate


def revalidated(response: Response) -> Response:
    """Let clients keep a copy and ask each time whether it is current: 304 if nothing changed."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response


def register(app: Flask, coordination: Coordination) -> None:
    """Add the hooks to `app`. Flask runs `after_request` functions in reverse order: first the
    ETag is set, then the body is compressed, then the result is cached or answered as 304."""
    app.extensions[_EXTENSION] = ResponseCache(coordination)
    app.before_request(_respond_from_cache)
    app.teardown_request(_release_reservation)
    app.after_request(_cache_response)
    app.config.update(
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_ALGORITHM_STREAMING=["gzip"],
        COMPRESS_MIMETYPES=list(COMPRESSED_TYPES),
        COMPRESS_MIN_SIZE=MIN_COMPRESSED_BYTES,
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,  # by `_cache_response`, after caching
    )
    Compress(app)
    app.after_request(_set_etag)


def _respond_from_cache() -> Response | None:
    """The cached response, if there is one; else record what to cache.

    The first of several requests for the same response makes it, while the others wait.
    """
    topics = _topics()
    if topics is None:
        return None
    cache: ResponseCache = current_app.extensions[_EXTENSION]
    key = (request.path, request.query_string.decode("latin-1"), str(_accepts_gzip()))
    found = cache.get_or_reserve(key)
    if found is None:
        g.to_cache = (key, topics, cache.version(topics))
        g.reserved = key
        return None
    g.from_cache = True
    return Response(found.body, headers=list(found.headers))


def _release_reservation(_error: BaseException | None) -> None:
    key: Key | None = g.pop("reserved", None)
    if key is not None:
        cache: ResponseCache = current_app.extensions[_EXTENSION]
        cache.release(key)


def _topics() -> tuple[Topic, ...] | None:
    """The topics of the requested view; None if its response must not be cached."""
    if request.method not in {"GET", "HEAD"} or len(request.query_string) > _MAX_QUERY_BYTES:
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    topics: tuple[Topic, ...] | None = getattr(view, "cache_topics", None)
    return topics if topics and not csv_export.is_wanted(None) else None


def _set_etag(response: Response) -> Response:
    """A strong ETag for JSON; a weak one for a compressed response, since its bytes differ."""
    if response.status_code != 200 or request.method not in {"GET", "HEAD"}:  # noqa: PLR2004  OK
        return response
    if "from_cache" in g:
        return response
    if response.mimetype == "application/json" and not response.is_streamed:
        response.add_etag()
        response.headers.setdefault("Cache-Control", "private, no-cache")
    etag, _ = response.get_etag()
    if etag and _is_compressed(response):
        response.set_etag(etag, weak=True)
    return response


def _cache_response(response: Response) -> Response:
    """Cache a complete response; answer 304 where the client has it already."""
    to_cache: tuple[Key, tuple[Topic, ...], int] | None = g.pop("to_cache", None)
    if response.status_code != 200 or request.method not in {"GET", "HEAD"}:  # noqa: PLR2004  OK
        return response
    if to_cache and not response.is_streamed:
        headers = tuple(
            (name, value)
            for name, value in response.headers
            if name.lower() not in _UNCACHED_HEADERS
        )
        cache: ResponseCache = current_app.extensions[_EXTENSION]
        cache.put(*to_cache, CachedResponse(response.get_data(), headers))
    if _is_validated(response):
        response.make_conditional(request)
    return response


def _is_validated(response: Response) -> bool:
    """Whether the client asks if the copy that it has is current.

    A response without an ETag and a time cannot say so. Werkzeug would read it to its end, which an
    event stream does not have. `If-Match` is for requests that change something.
    """
    is_asked = request.if_none_match or request.if_modified_since
    has_validator = response.get_etag()[0] or response.last_modified
    return bool(is_asked and has_validator and not request.if_match)


def _is_compressed(response: Response) -> bool:
    """Whether flask-compress is about to compress the response."""
    length = response.headers.get("Content-Length", type=int)
    is_large = length is None or length >= MIN_COMPRESSED_BYTES
    return is_large and response.mimetype in COMPRESSED_TYPES and _accepts_gzip()


def _accepts_gzip() -> bool:
    return request.accept_encodings.quality("gzip") > 0
