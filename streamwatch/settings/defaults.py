"""The defaults that depend on other settings."""

import secrets
from pathlib import Path
from typing import Any

from streamwatch.secret_file import API_KEY_FILE, WEBHOOK_SECRET_FILE, load_or_create_secret
from streamwatch.settings.credentials import load_credentials
from streamwatch.settings.model import (
    DATA_DIR,
    EMBEDDED,
    LOOPBACK,
    KeyRequirement,
    Origin,
    SettingsError,
)
from streamwatch.settings.variables import VARIABLES

EMBEDDED_RETENTION_DAYS = 400
"""A little more than the longest period that the dashboard shows."""


def with_defaults(values: dict[str, Any], *, dev: bool) -> dict[str, Any]:
    """The values with the defaults of their storage and, with `dev`, of `streamwatch dev`. The
    origins of secrets that were stored or generated are added to `origins`.

    Raises SettingsError.
    """
    values = {**values, "origins": dict(values.get("origins", {}))}
    storage = values["storage_type"]
    if storage == "memory":
        values["webhook_secret_is_new"] = "webhook_secrets" not in values
        values["origins"].setdefault("WEBHOOK_SECRET", Origin.GENERATED)
    else:
        values.setdefault("web_concurrency", 2)
        values.setdefault("analytics_type", "redis" if storage == EMBEDDED else "mongodb")
    if storage == EMBEDDED:
        _add_embedded_defaults(values)
    if dev:
        _add_dev_defaults(values)
    return values


def _add_embedded_defaults(values: dict[str, Any]) -> None:
    data_dir = values.get("data_dir", DATA_DIR)
    values.setdefault("snapshot_retention_days", EMBEDDED_RETENTION_DAYS)
    if "webhook_secrets" not in values:
        file = data_dir / WEBHOOK_SECRET_FILE
        values["webhook_secrets"] = (_stored_secret("WEBHOOK_SECRET", file),)
        values["origins"]["WEBHOOK_SECRET"] = Origin.STORED
    if "twitch_client_id" not in values:
        credentials = load_credentials(data_dir)
        if credentials is not None:
            values["twitch_client_id"] = credentials.client_id
            values["twitch_client_secret"] = credentials.client_secret
            values["twitch_credentials_stored"] = True
            values["origins"]["TWITCH_CLIENT_ID"] = Origin.STORED
            values["origins"]["TWITCH_CLIENT_SECRET"] = Origin.STORED


def _add_dev_defaults(values: dict[str, Any]) -> None:
    is_public = values.setdefault("host", "127.0.0.1") not in LOOPBACK
    if is_public or values.get("trusted_proxies"):
        values.setdefault("require_api_key", KeyRequirement.WRITE)
    if "api_keys" in values:
        return
    if values["storage_type"] == "memory":
        values["api_keys"] = (secrets.token_hex(16),)
        values["api_key_is_new"] = True
        values["origins"]["API_KEY"] = Origin.GENERATED
        return
    file = values.get("data_dir", DATA_DIR) / API_KEY_FILE
    values["api_key_is_new"] = not file.exists()
    values["api_keys"] = (_stored_secret("API_KEY", file),)
    values["origins"]["API_KEY"] = Origin.STORED


def _stored_secret(variable: str, file: Path) -> str:
    """The secret in `file`, made if there is none. Raises SettingsError where `variable` could not
    have this value."""
    try:
        secret = load_or_create_secret(file)
    except OSError as error:
        fault = f"DATA_DIR: {str(file.parent)!r} cannot be used ({error.strerror})"
        raise SettingsError([fault]) from None
    try:
        VARIABLES[variable].check([secret])
    except ValueError as error:
        fault = (
            f"{variable}: the file {file} cannot be used ({error}); delete it to generate a new"
            f" one, or set {variable}"
        )
        raise SettingsError([fault]) from None
    return secret
