"""Lists as CSV, written as they are read: any length, in little memory."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from flask import Response, request

Document = dict[str, Any]

CSV = "text/csv; charset=utf-8"
JSON_NAME, CSV_NAME = "json", "csv"

SCHEMA = {"type": "string"}
"""What OpenAPI says of it."""

_CHUNK_ROWS = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def is_wanted(format_name: str | None) -> bool:
    """Whether CSV was asked for: by the query's `format`, or else by Accept."""
    if format_name is not None:
        return format_name == CSV_NAME
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"


def csv_response(name: str, columns: Iterable[str], rows: Iterable[Document]) -> Response:
    """These columns of the rows, as a file. The first row is read before anything is answered, so
    that a database which is down is told as an error and not as a short file."""
    rows = iter(rows)
    first = list(_take(rows, 1))
    body = _written(list(columns), chain(first, rows))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(body, headers=headers, content_type=CSV)


def _written(columns: list[str], rows: Iterator[Document]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    while chunk := list(_take(rows, _CHUNK_ROWS)):
        writer.writerows([_cell(row[column]) for column in columns] for row in chunk)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted: titles are written by strangers."""
    if isinstance(value, list):
        value = ", ".join(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _take(rows: Iterator[Document], count: int) -> Iterator[Document]:
    for _, row in zip(range(count), rows, strict=False):
        yield row
