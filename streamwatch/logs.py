"""One stream of log lines on stdout, ours and the libraries', as JSON or for a console."""

import logging
import sys
from contextvars import ContextVar
from typing import Any

from streamwatch.settings import Settings

log_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)
"""What the lines of this request or job carry: its `request_id` or its `job`."""

_CONSOLE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class ContextFilter(logging.Filter):
    """Puts the context of the request or job on each line."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in (log_context.get() or {}).items():
            setattr(record, name, value)
        return True


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
                "()": "pythonjsonlogger.orjson.OrjsonFormatter",
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
            # A line a request would drown the rest; the metrics count requests.
            "gunicorn.access": {"level": "CRITICAL", "propagate": False, "handlers": []},
            "gunicorn.error": {"level": settings.log_level, "propagate": True, "handlers": []},
            # Their debug lines carry whole requests, tokens included.
            "urllib3": {"level": "WARNING"},
            "pymongo": {"level": "WARNING"},
        },
    }
