"""URLs of static files that a browser may cache for a year, since they change with the content."""

import hashlib
from functools import cache
from pathlib import Path

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
