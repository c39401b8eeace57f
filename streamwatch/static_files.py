"""Static files, sent from memory."""

import mimetypes
import os
from functools import cache
from pathlib import Path

from flask import Response
from werkzeug.exceptions import NotFound


def file_response(path: Path) -> Response:
    """The file at `path`, with an ETag. Raises NotFound.

    A file that is streamed through the compression of responses would not be closed. Range requests
    get the whole file: a part would be compressed, and its Content-Range be wrong.
    """
    # Path.is_file() raises OSError for a name that is too long.
    if not os.path.isfile(path):  # noqa: PTH113
        raise NotFound
    response = Response(_content(path), mimetype=mimetypes.guess_type(path.name)[0])
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response


@cache
def _content(path: Path) -> bytes:
    """Only of files that exist: the cache is as large as all static files."""
    return path.read_bytes()
