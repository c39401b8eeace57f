"""Bodies, read no further than a limit."""

from typing import TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.sansio.utils import get_content_length
from werkzeug.wsgi import get_input_stream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def read_body(environ: "WSGIEnvironment", limit: int) -> bytes:
    """The body of a request, of at most `limit` bytes.

    Raises RequestEntityTooLarge, without a look at the body where its length is announced, and
    BadRequest where it ends early or its chunks are not well-formed.
    """
    announced = get_content_length(
        environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING")
    )
    if announced is not None and announced > limit:
        raise RequestEntityTooLarge
    try:
        if announced is None:  # in chunks, or none
            body = get_input_stream(environ).read(limit + 1)
        else:
            body = environ["wsgi.input"].read(announced)
    except (OSError, ParseException):  # gunicorn reads chunks only as they are asked for
        raise BadRequest("The body could not be read to its end.") from None
    if len(body) > limit:
        raise RequestEntityTooLarge
    if announced is not None and len(body) < announced:
        raise BadRequest("The body is shorter than announced.")
    return body
