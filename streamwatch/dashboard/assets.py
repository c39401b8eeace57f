"""URLs of static files that a browser may cache for a year, since they change with the content."""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from flask import Response
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

FOLDER = Path(__file__).parent / "static"

YEAR_SECONDS = 365 * 24 * 3600


@cache
def digest() -> str:
    """A hash of all static files. It is a directory in their URLs, so that scripts can import each
    other by relative paths."""
    hashed = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        hashed.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()[:12]


def file_response(name: str) -> Response:
    """A static file, from memory: a file that is streamed through the compression of responses
    would not be closed. Raises NotFound."""
    content = _content(name)
    if content is None:
        raise NotFound
    response = Response(content, mimetype=mimetypes.guess_type(name)[0])
    response.add_etag()
    return response


@cache
def _content(name: str) -> bytes | None:
    path = safe_join(str(FOLDER), name)
    if path is None or not Path(path).is_file():
        return None
    return Path(path).read_bytes()
