"""Lists as CSV, streamed while they are read, so that any length needs little memory."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from flask import Response, request

Document = dict[str, Any]

CSV = "text/csv; charset=utf-8"
JSON_NAME, CSV_NAME = "json", "csv"

SCHEMA = {"type": "string"}
"""The OpenAPI schema."""

_CHUNK_ROWS = 200
_FORMULA = re.compile(r"(^|[;\r\n])(?=[ \t]*[=+\-@]|[\t\r])")
"""Where a spreadsheet would read a formula: at the start of a cell, and after the characters that
some spreadsheets take for its end."""


def is_wanted(format_name: str | None) -> bool:
    """Whether CSV is asked for: by the query parameter `format`, or without it by Accept."""
    if format_name is not None:
        return format_name == CSV_NAME
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"


def csv_response(name: str, columns: Iterable[str], rows: Iterable[Document]) -> Response:
    """These columns of the rows, as a file. The first row is read before the response starts, so
    that a database which is down causes an error and not a short file."""
    rows = iter(rows)
    first = list(islice(rows, 1))
    body = _csv_chunks(list(columns), chain(first, rows))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return negotiated(Response(body, headers=headers, content_type=CSV))


def negotiated(response: Response) -> Response:
    """Let caches keep the two forms of a list apart, since Accept chooses between them."""
    response.vary.add("Accept")
    return response


def _csv_chunks(columns: list[str], rows: Iterator[Document]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        writer.writerows([_cell(row[column]) for column in columns] for row in chunk)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> Any:
    """Put a quote before text that a spreadsheet would run as a formula: strangers write titles."""
    if isinstance(value, list):
        value = ", ".join(value)
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
