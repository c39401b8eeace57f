"""Logging on stdout, of this program and its libraries, as JSON or as plain lines."""

import json
import logging
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from streamwatch.domain.times import format_time
from streamwatch.settings import Settings

log = logging.getLogger(__name__)

log_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)
"""Fields of every line of this request or job: its `request_id` or its `job`."""

_CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


_STANDARD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
"""Attributes of every log record; any other attribute comes from `extra`."""


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, with its `extra`, the context of the request or job,
    and its traceback. Times are RFC 3339 UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": format_time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= log_context.get() or {}
        for name, value in vars(record).items():
            if name not in _STANDARD_ATTRIBUTES:
                line[name] = value
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack_info"] = self.formatStack(record.stack_info)
        return _to_json(line)


def _to_json(line: dict[str, Any]) -> str:
    """Serialize as JSON. Lone surrogates cannot be encoded as UTF-8: a line with one is escaped to
    ASCII."""
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:
        return json.dumps(line, default=str)


def logging_config(settings: Settings) -> dict[str, Any]:
    """The argument of `logging.config.dictConfig`, and gunicorn's `logconfig_dict`."""
    formatter = settings.log_format or ("console" if sys.stdout.isatty() else "json")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "console": {"format": _CONSOLE},
            "json": {"()": JsonLines},
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": formatter,
            }
        },
        "root": {"level": settings.log_level, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": settings.log_level, "propagate": True, "handlers": []},
            # The metrics count requests; there is no line for each.
            "gunicorn.access": {"level": "WARNING", "propagate": True, "handlers": []},
            # Their debug lines contain whole requests, tokens included.
            "urllib3": {"level": "WARNING"},
            "pymongo": {"level": "WARNING"},
        },
    }


def log_uncaught() -> None:
    """Log warnings, and exceptions that end a thread or the process, instead of writing them to
    stderr. A line that cannot be written, as to a closed pipe, is lost without a traceback there.
    """
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, error, traceback: log.critical(
        "An uncaught error ends the process", exc_info=(kind, error, traceback)
    )
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        name = args.thread.name if args.thread else "?"
        exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
        log.critical("An uncaught error ended the thread %s", name, exc_info=exc_info)
