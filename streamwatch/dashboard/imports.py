"""Manage: import of an exported file, or of a file with logins."""

from collections.abc import Sequence
from contextlib import closing
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.forms import lookup, summarized_outcomes
from streamwatch.dashboard.manage import manage_page
from streamwatch.domain.exports import MAX_IMPORT_BYTES, MAX_LOOKUPS, InvalidExport
from streamwatch.domain.logins import LoginLines, logins_of_lines
from streamwatch.services.notifications.errors import TooManyNotifications

_SHOWN_FAULTS = 100


@blueprint.post("/manage/import")
def import_file() -> Response | tuple[str, HTTPStatus] | str:
    """Import an export, or a text with logins or URLs of channels, and show the result. A file that
    is refused as a whole changes nothing, and is a 422.

    The result is shown after a redirect, so that reloading the page does not import again; at once
    only if it has faults, which do not fit into a URL.
    """
    data = b""
    if file := request.files.get("file"):
        with closing(file):  # a large upload is a temporary file
            data = file.read(MAX_IMPORT_BYTES)
    try:
        outcome, faults = _import(data)
    except InvalidExport as error:
        return _refused([f"{place}: {fault}" for place, fault in error.faults])
    except (TooManyNotifications, ValueError) as error:
        return _refused([str(error)])
    if faults:
        return manage_page(result=outcome, import_faults=_first(faults))
    return redirect(f"{url_for('dashboard.manage')}?{urlencode(outcome)}", HTTPStatus.SEE_OTHER)


def _refused(faults: Sequence[str]) -> tuple[str, HTTPStatus]:
    page = manage_page(result={}, import_faults=_first(faults))
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


def _first(faults: Sequence[str]) -> list[str]:
    """The first faults, and how many more there are."""
    rest = len(faults) - _SHOWN_FAULTS
    return [*faults[:_SHOWN_FAULTS], *([f"{rest:,} more like these."] if rest > 0 else [])]


# Read before the body, by `api.arguments`.
import_file.max_body_bytes = MAX_IMPORT_BYTES + 64 * 1024  # type: ignore[attr-defined]  # a function's own attribute


def _import(data: bytes) -> tuple[dict[str, str], list[str]]:
    """Import `data`. Returns the outcome by result, and what could not be used. Raises ValueError
    for data that is no text."""
    faults: list[str] = []
    if data.lstrip().startswith(b"{"):
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"The file is not JSON: {error}.") from None
        imported: Any = services().transfer.load(document, guard=lookup)
        added = {"notifications": imported.notifications}
    else:
        lines = _lines(data)
        faults = lines.faults
        with lookup(len(lines.logins)):
            imported = services().streamers.add_many(lines.logins)
        added = {}
    outcomes: dict[str, list[str]] = {
        "added": imported.added,
        "existing": imported.existing,
        "not_found": imported.not_found,
        "failed": imported.failed,
        **added,
    }
    return summarized_outcomes(outcomes), faults


def _lines(data: bytes) -> LoginLines:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("The file is neither an export nor a text in UTF-8.") from None
    lines = logins_of_lines(text.splitlines())
    if not lines.logins and not lines.faults:
        raise ValueError("The file has no names. Choose a file.")
    if len(lines.logins) > MAX_LOOKUPS:
        raise ValueError(
            f"The file has {len(lines.logins):,} names; at most {MAX_LOOKUPS:,} are allowed."
        )
    return lines
