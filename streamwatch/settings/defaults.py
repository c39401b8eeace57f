"""The defaults that depend on other settings."""

from pathlib import Path
from typing import Any

from streamwatch.secret_file import load_or_create_secret
from streamwatch.settings.model import DATA_DIR, EMBEDDED, SettingsError
from streamwatch.settings.variables import check_webhook_secret

EMBEDDED_RETENTION_DAYS = 400
"""A little more than the longest period that the dashboard shows."""


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the defaults of their storage. Raises SettingsError."""
    values = dict(values)
    storage = values["storage_type"]
    if storage == "memory":
        values["webhook_secret_is_new"] = "webhook_secrets" not in values
        return values
    values.setdefault("web_concurrency", 2)
    if storage != EMBEDDED:
        values.setdefault("analytics_type", "mongodb")
        return values
    values.setdefault("analytics_type", EMBEDDED)
    values.setdefault("snapshot_retention_days", EMBEDDED_RETENTION_DAYS)
    if "webhook_secrets" not in values:
        values["webhook_secrets"] = (_stored_webhook_secret(values.get("data_dir", DATA_DIR)),)
    return values


def _stored_webhook_secret(data_dir: Path) -> str:
    file = data_dir / "webhook-secret"
    try:
        secret = load_or_create_secret(file)
    except OSError as error:
        fault = f"DATA_DIR: {str(data_dir)!r} cannot be used ({error.strerror})"
        raise SettingsError([fault]) from None
    try:
        check_webhook_secret(secret)
    except ValueError as error:
        fault = (
            f"WEBHOOK_SECRET: the file {file} cannot be used ({error}); delete it to generate a"
            " new secret, or set WEBHOOK_SECRET"
        )
        raise SettingsError([fault]) from None
    return secret
