"""The settings of a web process, which reads them again when it starts.

gunicorn ends all processes if one of them cannot start, as with a faulty `.env` at a reload.
"""

import logging

from streamwatch.bootstrap import build
from streamwatch.settings import Settings, SettingsError, from_env

log = logging.getLogger(__name__)

_at_start: list[Settings] = []


def remember(settings: Settings) -> None:
    """Store the settings with which the server started, before the web processes are forked."""
    _at_start[:] = [settings]


def current_settings() -> Settings:
    """The settings as they are now; if they have faults, those with which the server started.
    Raises SettingsError if there are none."""
    try:
        settings = from_env()
        # Connects to nothing. Reports a backend that does not exist, or whose URL cannot be used.
        build(settings)
    except SettingsError as error:
        if not _at_start:
            raise
        log.error("The settings have faults, and those of the start still apply: %s", error)  # noqa: TRY400  the faults, without a traceback
        return _at_start[0]
    return settings
