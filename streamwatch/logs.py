"""One stream of log lines on stdout, ours and the libraries', as JSON or for a console."""

import json
import logging
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from pythonjsonlogger.orjson import OrjsonFormatter

from streamwatch.domain.times import format_time
from streamwatch.settings import Settings

log = logging.getLogger(__name__)

log_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)
"""What the lines of this request or job carry: its `request_id` or its `job`."""

_CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class ContextFilter(logging.Filter):
    """Puts the context of the request or job on each line."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in (log_context.get() or {}).items():
            setattr(record, name, value)
        return True


class JsonLines(OrjsonFormatter):
    """A record as one line of JSON, its traceback included, with times as everywhere else."""

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """As JSON; where there are halves of surrogate pairs, which no encoding has, all but ASCII
        is escaped."""
        try:
            return super().jsonify_log_record(log_data)
        except TypeError:
            return json.dumps(log_data, default=str)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  logging's own
        return format_time(datetime.fromtimestamp(record.created, UTC))


def logging_config(settings: Settings) -> dict[str, Any]:
    """The `logging.config.dictConfig` for these settings; gunicorn takes it as `logconfig_dict`."""
    form = settings.log_format or ("console" if sys.stdout.isatty() else "json")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"context": {"()": ContextFilter}},
        "formatters": {
            "console": {"format": _CONSOLE},
            "json": {
                "()": JsonLines,
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": form,
                "filters": ["context"],
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
