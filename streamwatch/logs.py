"""One stream of log lines on stdout, ours and the libraries', as JSON or for a console."""

import json
import logging
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson

from streamwatch.domain.times import format_time
from streamwatch.settings import Settings

log = logging.getLogger(__name__)

log_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)
"""What the lines of this request or job carry: its `request_id` or its `job`."""

_CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


_OF_ALL_RECORDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
"""What logging itself puts on a record; anything else is what the line was given as `extra`."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON with what it was given beside its text, the context of the
    request or job, and its traceback; with times as everywhere else."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": format_time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= log_context.get() or {}
        for name, value in vars(record).items():
            if name not in _OF_ALL_RECORDS:
                line[name] = value
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack_info"] = self.formatStack(record.stack_info)
        return _to_json(line)


def _to_json(line: dict[str, Any]) -> str:
    """As JSON; where there are halves of surrogate pairs, which no encoding has, all but ASCII is
    escaped."""
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:
        return json.dumps(line, default=str)


def logging_config(settings: Settings) -> dict[str, Any]:
    """The `logging.config.dictConfig` for these settings; gunicorn takes it as `logconfig_dict`."""
    form = settings.log_format or ("console" if sys.stdout.isatty() else "json")
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
                "formatter": form,
            }
        },
        "root": {"level": settings.log_level, "handlers": ["stdout"]},
        "loggers": {
            "gunicorn.error": {"level": settings.log_level, "propagate": True, "handlers": []},
            # Their debug lines carry whole requests, tokens included.
            "urllib3": {"level": "WARNING"},
            "pymongo": {"level": "WARNING"},
        },
    }


def log_uncaught() -> None:
    """Log what else would be written on stderr in a form of its own: warnings, and exceptions that
    end a thread or the process."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_end
    threading.excepthook = _log_end_of_thread


def _log_end(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    log.critical("The process ends by an error", exc_info=(kind, error, traceback))


def _log_end_of_thread(end: threading.ExceptHookArgs) -> None:
    if end.exc_value is not None:
        name = end.thread.name if end.thread else "?"
        exc_info = (end.exc_type, end.exc_value, end.exc_traceback)
        log.critical("The thread %s ended by an error", name, exc_info=exc_info)
