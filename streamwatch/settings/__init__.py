"""The settings, and the only reader of the environment.

`model` defines the settings, `variables` is the table of environment variables, `values` the types
of their values; `loading` reads them, `defaults` fills in what depends on other settings.
"""

from streamwatch.settings.loading import ORIGINS, from_env, is_color_refused
from streamwatch.settings.model import (
    DATA_DIR,
    EMBEDDED,
    LOOPBACK,
    WEBHOOK_PATH,
    EventSubTransport,
    KeyRequirement,
    Origin,
    Settings,
    SettingsError,
)
from streamwatch.settings.variables import FIELDS, VARIABLES

__all__ = [
    "DATA_DIR",
    "EMBEDDED",
    "FIELDS",
    "LOOPBACK",
    "ORIGINS",
    "VARIABLES",
    "WEBHOOK_PATH",
    "EventSubTransport",
    "KeyRequirement",
    "Origin",
    "Settings",
    "SettingsError",
    "from_env",
    "is_color_refused",
]
