"""URLs of static files that a browser may cache for a year, since they change with the content."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Response
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from streamwatch.static_files import file_response

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


def file_of(name: str) -> Response:
    """The static file `name`, a relative path. Raises NotFound."""
    path = safe_join(str(FOLDER), name)
    if path is None:
        raise NotFound
    return file_response(Path(path))
