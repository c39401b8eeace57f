"""Reading of request bodies, with a limit on their size."""

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge


def read_body(request: Request, limit: int) -> bytes:
    """The body of `request`, of at most `limit` bytes.

    Raises RequestEntityTooLarge, before anything is read where Content-Length exceeds the limit,
    and BadRequest where the body ends early or its chunks are malformed.
    """
    length = request.content_length
    if length is not None and length > limit:
        raise RequestEntityTooLarge
    # Werkzeug cuts a chunked body off at its limit without an error, so one byte more is allowed.
    # It is read in one call: of several, gunicorn would block in the last one for 1 KiB more.
    request.max_content_length = limit + 1
    try:
        body = request.stream.read(limit + 1)
    except ParseException:  # gunicorn parses chunks and trailers while the body is read
        raise BadRequest("The body's chunks are malformed.") from None
    if len(body) > limit:
        raise RequestEntityTooLarge
    if length is not None and len(body) < length:
        raise BadRequest("The body is shorter than its Content-Length.")
    return body
