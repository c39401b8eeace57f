"""The table of environment variables: every variable that the service reads, and its type."""

import re
from urllib.parse import urlsplit

from streamwatch.settings.model import LOOPBACK, WEBHOOK_PATH, EventSubTransport, KeyRequirement
from streamwatch.settings.values import (
    BOOLEAN,
    HOST,
    PATH,
    ValueType,
    backend,
    choice,
    database_url,
    frame_ancestors,
    integer,
    matches,
    member,
    origins,
    secret_text,
    text,
    texts,
    url,
)

_LOGIN = re.compile(r"[A-Za-z0-9_]{1,25}", re.ASCII)
_UNQUOTED = re.compile(r"[!#-&(-~]+", re.ASCII)
"""Printable ASCII without spaces and quotes, which `docker run --env-file` retains."""

_DATABASE = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)

BUILTIN_STORAGES = ("embedded", "memory", "redis")
BUILTIN_ANALYTICS = ("embedded", "memory", "mongodb", "redis")

_ORIGINS = "origins such as https://example.com, comma-separated"

WEBHOOK_SECRETS = (
    "10 to 100 printable ASCII characters that are hard to guess;"
    " `openssl rand -hex 32` prints such a secret"
)
_KEYS = texts(
    secret_text(8, 200, spaces=False),
    "keys of 8 to 200 printable ASCII characters without spaces, comma-separated, no placeholders",
    secret=True,
)


def _check_webhook_url(value: str) -> None:
    parts = urlsplit(value)
    if not parts.hostname or not parts.path.endswith(WEBHOOK_PATH):
        raise ValueError("not the webhook's address")
    if parts.hostname not in LOOPBACK and (
        parts.scheme != "https" or parts.port not in (None, 443)
    ):
        raise ValueError("Twitch calls HTTPS on port 443 only")
    if parts.scheme not in ("http", "https"):
        raise ValueError("not http")


VARIABLES: dict[str, ValueType] = {
    "TWITCH_CLIENT_ID": text(_UNQUOTED, "the client id of a Twitch application, without quotes"),
    "TWITCH_CLIENT_SECRET": text(
        _UNQUOTED, "the application's client secret, without quotes", secret=True
    ),
    "TWITCH_API_URL": url("https", "http"),
    "TWITCH_AUTH_URL": url("https", "http"),
    "TWITCH_EVENTSUB_URL": url("wss", "ws"),
    "EVENTSUB_TRANSPORT": member(EventSubTransport),
    # https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
    "WEBHOOK_SECRET": texts(secret_text(10, 100, spaces=True), WEBHOOK_SECRETS, secret=True),
    "WEBHOOK_URL": ValueType(
        "str", _check_webhook_url, f"https://HOST{WEBHOOK_PATH} (port 443), or http on loopback"
    ),
    "WATCH_UPDATES": BOOLEAN,
    "STORAGE_TYPE": backend(
        "streamwatch.storage", BUILTIN_STORAGES, "memory, embedded, redis, or a plug-in's name"
    ),
    "DATA_DIR": PATH,
    "REDIS_URL": database_url(
        "redis",
        "rediss",
        "redis+sentinel",
        "rediss+sentinel",
        "redis+cluster",
        "rediss+cluster",
    ),
    "ANALYTICS_TYPE": backend(
        "streamwatch.analytics", BUILTIN_ANALYTICS, "memory, redis, mongodb, or a plug-in's name"
    ),
    "MONGODB_URL": database_url("mongodb", "mongodb+srv"),
    "MONGODB_DATABASE": text(_DATABASE, "1 to 63 letters, digits, _ or -"),
    "EVENTS_KEPT": integer(1, 1_000_000),
    "SNAPSHOT_RETENTION_DAYS": integer(0, 36_500),
    "DEFAULT_STREAMERS": texts(
        matches(_LOGIN), "logins of 1 to 25 letters, digits or _, comma-separated"
    ),
    "BACKFILL_ON_ADD": BOOLEAN,
    "REQUIRE_API_KEY": member(KeyRequirement),
    "API_KEY": _KEYS,
    "API_READ_KEY": _KEYS,
    "CORS_ORIGINS": origins(f"{_ORIGINS}, or *", any_origin=True),
    "PUBLIC_BADGES": BOOLEAN,
    "EMBED_ORIGINS": frame_ancestors(f"{_ORIGINS}, 'self' or *"),
    "IMAGE_ORIGINS": origins(f"{_ORIGINS}; empty for no pictures", empty_counts=True),
    "NOTIFICATIONS_ALLOW_PRIVATE": BOOLEAN,
    "RATE_LIMIT": integer(0, 1_000_000),
    "LOOKUP_LIMIT": integer(0, 1_000_000),
    "TRUSTED_PROXIES": integer(0, 10),
    "REFRESH_SECONDS": integer(1, 86_400),
    "VERIFY_SECONDS": integer(1, 86_400),
    "LOOKUP_TTL_SECONDS": integer(1, 86_400),
    "SAMPLE_CAP_SECONDS": integer(1, 86_400),
    "HOST": HOST,
    "PORT": integer(1, 65_535),
    "WEB_CONCURRENCY": integer(1, 256),
    "WEB_THREADS": integer(1, 1024),
    "LOG_LEVEL": choice("DEBUG", "INFO", "WARNING", "ERROR"),
    "LOG_FORMAT": choice("json", "console"),
}

COMPOSE_VARIABLES = {"REDIS_PASSWORD", "MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD"}
"""Variables that the compose files read, and this program does not."""

FIELDS = {
    "WEBHOOK_SECRET": "webhook_secrets",
    "API_KEY": "api_keys",
    "API_READ_KEY": "api_read_keys",
}
"""The fields of Settings whose name is not the variable's in lower case."""

LOWER_CASE = {"default_streamers", "cors_origins", "embed_origins", "image_origins"}
"""The lists that are matched without regard to case; each entry is retained once."""
