"""Bodies, read no further than a limit."""

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge


def read_body(limit: int) -> bytes:
    """The body of the request, of at most `limit` bytes.

    Raises RequestEntityTooLarge, without a look at the body where its length is announced, and
    BadRequest where it ends early or its chunks are not well-formed.
    """
    announced = request.content_length
    if announced is not None and announced > limit:
        raise RequestEntityTooLarge
    request.max_content_length = None  # Werkzeug would cut what comes in chunks off at its limit
    try:
        body = request.stream.read(limit + 1)
    except (OSError, ParseException):  # gunicorn reads chunks only as they are asked for
        raise BadRequest("The body could not be read to its end.") from None
    if len(body) > limit:
        raise RequestEntityTooLarge
    if announced is not None and len(body) < announced:
        raise BadRequest("The body is shorter than announced.")
    return body
