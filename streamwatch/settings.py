"""The only reader of the environment: every variable, its default and what it allows."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError, ValidationError

from streamwatch.secret_file import load_or_create_secret

WEBHOOK_PATH = "/webhooks/eventsub"
EMBEDDED = "embedded"
"""The storage and the analytics that need no server but the one that `streamwatch dev` runs."""

DATA_DIR = Path("data")

_LOGIN = re.compile(r"[A-Za-z0-9_]{1,25}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
_PLACEHOLDER = re.compile(
    r"<.*>|\*+|x+|0+|(change|replace|insert|put|your|example|placeholder|todo)[\w .-]*"
    r"|(my[-_ ]?|webhook[-_ ]?|super[-_ ]?)*(secret|password)([-_ ]*here)?",
    re.IGNORECASE | re.ASCII,
)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class SettingsError(Exception):
    """Settings that cannot be used; `faults` holds one line for each, naming its variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _random_secrets() -> tuple[str, ...]:
    return (secrets.token_hex(32),)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, checked. Those that hold secrets, or URLs that may hold a
    password, are left out of the repr."""

    twitch_client_id: str | None = None
    twitch_client_secret: str | None = field(default=None, repr=False)
    webhook_secrets: tuple[str, ...] = field(default_factory=_random_secrets, repr=False)
    """The first signs; all are accepted."""
    webhook_secret_is_new: bool = False
    """Whether it was made up at this start, so that nothing was signed with it before."""
    webhook_url: str | None = None
    storage_type: str = "memory"
    data_dir: Path = DATA_DIR
    """Where STORAGE_TYPE=embedded and ANALYTICS_TYPE=embedded keep what they have."""
    redis_url: str = field(default="redis://localhost:6379", repr=False)
    analytics_type: str = "memory"
    mongodb_url: str = field(default="mongodb://localhost:27017", repr=False)
    mongodb_database: str = "twitch_analytics"
    default_streamers: tuple[str, ...] = ()
    require_api_key: bool = False
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    rate_limit: int = 600
    lookup_limit: int = 60
    """Requests, and lookups of streamers who are not monitored, a minute and client; 0 is none."""
    refresh_seconds: int = 300
    verify_seconds: int = 1800
    lookup_ttl_seconds: int = 60
    events_kept: int = 1000
    sample_cap_seconds: int = 600
    snapshot_retention_days: int = 0
    twitch_api_url: str = "https://api.twitch.tv/helix"
    twitch_auth_url: str = "https://id.twitch.tv/oauth2"
    trusted_proxies: int = 0
    """How many proxies stand between a client and us, each of which adds to X-Forwarded-For."""
    port: int = 8000
    web_concurrency: int = 1
    web_threads: int = 8
    log_level: str = "INFO"
    log_format: str | None = None
    """None: console on a terminal, else json."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of value: environs' parser for it, a check that raises ValueError, and what is
    allowed, in words."""

    parser: str
    check: Callable[[Any], None]
    allowed: str
    secret: bool = False


def _whole(low: int, high: int) -> _Kind:
    def check(value: int) -> None:
        if not low <= value <= high:
            raise ValueError("out of range")

    return _Kind("int", check, f"a whole number from {low} to {high}")


def _one_of(*choices: str) -> _Kind:
    def check(value: str) -> None:
        if value not in choices:
            raise ValueError("not one of them")

    return _Kind("str", check, " or ".join(choices))


def _matching(pattern: re.Pattern[str], allowed: str, *, secret: bool = False) -> _Kind:
    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValueError("not in that form")

    return _Kind("str", check, allowed, secret)


def _each(pattern: re.Pattern[str], allowed: str, *, secret: bool = False) -> _Kind:
    def check(values: list[str]) -> None:
        wrong = [value for value in values if value and not pattern.fullmatch(value)]
        if not any(values):
            raise ValueError("empty")
        if wrong:
            raise ValueError("wrong entry" if secret else f"wrong: {', '.join(wrong)}")

    return _Kind("list", check, allowed, secret)


def _url(*schemes: str, secret: bool = False) -> _Kind:
    def check(value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError("no such URL")

    return _Kind("str", check, f"a URL that starts with {'://, '.join(schemes)}://", secret)


def _check_webhook_url(value: str) -> None:
    parts = urlsplit(value)
    if not parts.hostname or not parts.path.endswith(WEBHOOK_PATH):
        raise ValueError("not the webhook's address")
    if parts.hostname not in _LOOPBACK and (
        parts.scheme != "https" or parts.port not in (None, 443)
    ):
        raise ValueError("Twitch calls HTTPS on port 443 only")
    if parts.scheme not in ("http", "https"):
        raise ValueError("not http")


def _check_webhook_secrets(values: list[str]) -> None:
    if not any(values):
        raise ValueError("empty")
    for value in filter(None, values):
        if not 10 <= len(value) <= 100 or not value.isascii() or not value.isprintable():  # noqa: PLR2004  Twitch's bounds
            raise ValueError("wrong length or characters")
        if _PLACEHOLDER.fullmatch(value):
            raise ValueError("a placeholder, not a secret")


_TEXT = re.compile(r"[!-~]+", re.ASCII)
_KEYS = _each(_TEXT, "keys of printable ASCII without spaces, comma-separated", secret=True)
_SECRETS = _Kind(
    "list",
    _check_webhook_secrets,
    "10 to 100 ASCII characters that nobody can guess, such as `openssl rand -hex 32` prints",
    secret=True,
)

VARIABLES: dict[str, _Kind] = {
    "TWITCH_CLIENT_ID": _matching(_TEXT, "the client id of a Twitch application"),
    "TWITCH_CLIENT_SECRET": _matching(_TEXT, "the application's client secret", secret=True),
    "WEBHOOK_SECRET": _SECRETS,
    "WEBHOOK_URL": _Kind(
        "str", _check_webhook_url, f"https://HOST{WEBHOOK_PATH} (port 443), or http on loopback"
    ),
    "STORAGE_TYPE": _matching(_NAME, "memory, embedded, redis, or a plug-in's name"),
    "DATA_DIR": _Kind("path", lambda _: None, "a folder's path"),
    "REDIS_URL": _url(
        "redis",
        "rediss",
        "redis+sentinel",
        "rediss+sentinel",
        "redis+cluster",
        "rediss+cluster",
        secret=True,
    ),
    "ANALYTICS_TYPE": _matching(_NAME, "memory, embedded, mongodb, or a plug-in's name"),
    "MONGODB_URL": _url("mongodb", "mongodb+srv", secret=True),
    "MONGODB_DATABASE": _matching(
        re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII), "1 to 63 letters, digits, _ or -"
    ),
    "DEFAULT_STREAMERS": _each(_LOGIN, "logins of 1 to 25 letters, digits or _, comma-separated"),
    "REQUIRE_API_KEY": _Kind("bool", lambda _: None, "true or false"),
    "API_KEY": _KEYS,
    "RATE_LIMIT": _whole(0, 1_000_000),
    "LOOKUP_LIMIT": _whole(0, 1_000_000),
    "REFRESH_SECONDS": _whole(1, 86_400),
    "VERIFY_SECONDS": _whole(1, 86_400),
    "LOOKUP_TTL_SECONDS": _whole(1, 86_400),
    "EVENTS_KEPT": _whole(1, 1_000_000),
    "SAMPLE_CAP_SECONDS": _whole(1, 86_400),
    "SNAPSHOT_RETENTION_DAYS": _whole(0, 36_500),
    "TWITCH_API_URL": _url("https", "http"),
    "TWITCH_AUTH_URL": _url("https", "http"),
    "TRUSTED_PROXIES": _whole(0, 10),
    "PORT": _whole(1, 65_535),
    "WEB_CONCURRENCY": _whole(1, 256),
    "WEB_THREADS": _whole(1, 1024),
    "LOG_LEVEL": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "LOG_FORMAT": _one_of("json", "console"),
}
"""Every variable that the service reads, and what it allows."""

_FIELDS = {"WEBHOOK_SECRET": "webhook_secrets", "API_KEY": "api_keys"}
"""The fields whose name is not the variable's in lower case."""


def from_env(dotenv: Path | None = None, *, storage_type: str = "memory") -> Settings:
    """The settings that the environment and, behind it, the file `dotenv` (`.env` here) give, with
    `storage_type` where they name none.

    An empty variable counts as absent. Raises SettingsError with every fault at once.
    """
    env = Env(eager=False)
    file = dotenv or Path(".env")
    if file.is_file():
        env.read_env(file, recurse=False)
    given = {name: value for name in VARIABLES if (value := env.str(name, "").strip())}
    values = {_FIELDS.get(name, name.lower()): _read(env, name, VARIABLES[name]) for name in given}
    values.setdefault("storage_type", storage_type)
    faults = [*_faults(env, given), *_contradictions(values)]
    if faults:
        raise SettingsError(faults)
    return Settings(**_with_defaults(values))


def _read(env: Env, name: str, kind: _Kind) -> Any:
    def check(value: Any) -> None:
        try:
            kind.check(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    if kind.parser == "list":
        items = env.list(name, subcast=str.strip, validate=check)
        return tuple(item for item in items or () if item)
    return getattr(env, kind.parser)(name, validate=check)


def _faults(env: Env, given: dict[str, str]) -> list[str]:
    """One line for each variable whose value cannot be used."""
    try:
        env.seal()
    except EnvValidationError as error:
        faults = error.error_messages
        assert isinstance(faults, Mapping)  # noqa: S101  what environs says with eager=False
        return [_fault(name, given[name], messages[0]) for name, messages in faults.items()]
    return []


def _fault(name: str, given: str, message: str) -> str:
    kind = VARIABLES[name]
    value = "the value" if kind.secret else repr(given)
    return (
        f"{name}: {value} cannot be used ({message.rstrip('.').lower()}); allowed: {kind.allowed}"
    )


def _contradictions(values: dict[str, Any]) -> Iterator[str]:
    """What cannot be used together. A value that is faulty by itself is None here."""
    storage = values["storage_type"]
    if storage not in ("memory", EMBEDDED, None) and "webhook_secrets" not in values:
        yield f"WEBHOOK_SECRET: missing; STORAGE_TYPE={storage} needs {_SECRETS.allowed}"
    if storage == "memory" and (values.get("web_concurrency") or 1) > 1:
        yield (
            f"WEB_CONCURRENCY: {values['web_concurrency']} web processes cannot share"
            " STORAGE_TYPE=memory; allowed: 1, or STORAGE_TYPE=redis"
        )
    if values.get("require_api_key") and "api_keys" not in values:
        yield "API_KEY: missing; REQUIRE_API_KEY=true needs at least one key"
    pair = ("twitch_client_id", "twitch_client_secret")
    for name, other in (pair, pair[::-1]):
        if other in values and name not in values:
            yield f"{name.upper()}: missing; {other.upper()} is set, and one needs the other"


def _with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with the defaults that depend on other settings."""
    values = dict(values)
    storage = values["storage_type"]
    if storage == "memory":
        values["webhook_secret_is_new"] = "webhook_secrets" not in values
    else:
        values.setdefault("analytics_type", EMBEDDED if storage == EMBEDDED else "mongodb")
        values.setdefault("web_concurrency", 2)
    if storage == EMBEDDED and "webhook_secrets" not in values:
        values["webhook_secrets"] = (_kept_webhook_secret(values.get("data_dir", DATA_DIR)),)
    if "default_streamers" in values:
        values["default_streamers"] = tuple(
            dict.fromkeys(login.lower() for login in values["default_streamers"])
        )
    return values


def _kept_webhook_secret(directory: Path) -> str:
    try:
        return load_or_create_secret(directory / "webhook-secret")
    except OSError as error:
        fault = f"DATA_DIR: {str(directory)!r} cannot be used ({error.strerror})"
        raise SettingsError([fault]) from None
