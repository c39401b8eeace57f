"""The settings as the rest of the program sees them: typed, checked, with their defaults."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from marshmallow import fields

WEBHOOK_PATH = "/webhooks/eventsub"

EMBEDDED = "embedded"
"""The value of STORAGE_TYPE for the Valkey server that `streamwatch dev` runs."""

DATA_DIR = Path("data")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that only this machine reaches."""


class SettingsError(Exception):
    """The settings cannot be used. `faults` has one line per fault, each naming its variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class KeyRequirement(StrEnum):
    """Which requests need an API key, besides those to /admin and /notifications."""

    NONE = "false"
    WRITE = "write"
    """Every method but GET, HEAD and OPTIONS."""
    ALL = "true"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Accept every spelling of true and false that other variables accept."""
        if value in fields.Boolean.truthy:
            return cls("true")
        return cls("false") if value in fields.Boolean.falsy else None


class EventSubTransport(StrEnum):
    """How Twitch delivers EventSub messages."""

    AUTO = "auto"
    """A webhook with WEBHOOK_URL, else a conduit with Twitch credentials, else none."""
    WEBHOOK = "webhook"
    CONDUIT = "conduit"
    NONE = "none"
    """No subscriptions; streams are found by polling."""


class Origin(StrEnum):
    """Where the value of a variable comes from. A variable without an origin has its default."""

    ENVIRONMENT = "environment"
    DOTENV = ".env"
    STORED = "DATA_DIR"
    """Entered in the browser, or generated at the first start."""
    GENERATED = "generated"
    """At this start: it is not stored."""
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. Secrets, and URLs that may contain a password, are not in the repr."""

    twitch_client_id: str | None = None
    twitch_client_secret: str | None = field(default=None, repr=False)
    twitch_credentials_stored: bool = False
    """Whether the credentials are those that were entered in the browser, stored in DATA_DIR."""
    twitch_api_url: str = "https://api.twitch.tv/helix"
    twitch_auth_url: str = "https://id.twitch.tv/oauth2"
    twitch_eventsub_url: str = "wss://eventsub.wss.twitch.tv/ws"

    eventsub_transport: EventSubTransport = EventSubTransport.AUTO
    """As configured. `transport` resolves AUTO."""
    webhook_secrets: tuple[str, ...] = field(
        default_factory=lambda: (secrets.token_hex(32),), repr=False
    )
    """The first one signs; all are accepted."""
    webhook_secret_is_new: bool = False
    """Whether the secret was generated at this start, so that no subscription uses it yet."""
    webhook_url: str | None = None
    watch_updates: bool = True
    """Whether to subscribe to channel.update."""

    storage_type: str = "memory"
    data_dir: Path = DATA_DIR
    """The folder of STORAGE_TYPE=embedded."""
    redis_url: str = field(default="redis://localhost:6379", repr=False)
    analytics_type: str = "memory"
    mongodb_url: str = field(default="mongodb://localhost:27017", repr=False)
    mongodb_database: str = "twitch_analytics"
    events_kept: int = 1000
    """Bounds three histories: all events, those of each type, those of each streamer."""
    snapshot_retention_days: int = 0
    """0 retains all snapshots."""

    default_streamers: tuple[str, ...] = ()
    """Logins in lower case."""
    backfill_on_add: bool = True
    """Whether the past streams of a new streamer are read from their archived videos."""

    require_api_key: KeyRequirement = KeyRequirement.NONE
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    api_key_is_new: bool = False
    """Whether the key was generated at this start."""
    api_read_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys that may only read."""
    cors_origins: tuple[str, ...] = ()
    """Origins in lower case, or `*`."""
    public_badges: bool = False
    embed_origins: tuple[str, ...] = ()
    """Sources of the CSP directive frame-ancestors."""
    image_origins: tuple[str, ...] = ("https://static-cdn.jtvnw.net",)
    """Where pages load avatars and previews from; empty for none."""
    notifications_allow_private: bool = False
    """Whether notifications may go to loopback, private and link-local addresses."""
    rate_limit: int = 600
    """Requests a minute and client; 0 for no limit."""
    lookup_limit: int = 60
    """Requests that call Twitch, a minute and client; 0 for no limit."""
    trusted_proxies: int = 0
    """How many proxies in front of the web process append to X-Forwarded-For."""

    refresh_seconds: int = 300
    verify_seconds: int = 1800
    lookup_ttl_seconds: int = 60
    sample_cap_seconds: int = 600

    host: str = "0.0.0.0"  # noqa: S104  every interface, as a web server in a container needs
    port: int = 8000
    web_concurrency: int = 1
    web_threads: int = 8
    log_level: str = "INFO"
    log_format: str | None = None
    """None: console on a terminal, else json."""

    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    """The origins of the variables whose value is not the default."""
    warnings: tuple[str, ...] = ()
    """Warnings that do not stop the start, such as a variable whose name looks misspelled."""

    def origin(self, variable: str) -> Origin:
        """Where the value of an environment variable comes from."""
        return self.origins.get(variable, Origin.DEFAULT)

    @property
    def has_twitch_credentials(self) -> bool:
        """Whether there is an application to call Twitch as."""
        return self.twitch_client_id is not None and self.twitch_client_secret is not None

    @property
    def serves_this_machine_only(self) -> bool:
        """Whether the web process listens on loopback, and no proxy makes it public."""
        return self.host in LOOPBACK and not self.trusted_proxies

    @property
    def sample_cap(self) -> timedelta:
        """The longest duration of one sample of viewers."""
        return timedelta(seconds=self.sample_cap_seconds)

    @property
    def snapshot_retention(self) -> timedelta | None:
        """How long snapshots are retained; None retains all."""
        days = self.snapshot_retention_days
        return timedelta(days=days) if days else None

    @property
    def transport(self) -> EventSubTransport:
        """EVENTSUB_TRANSPORT with AUTO resolved; never AUTO."""
        if self.eventsub_transport is not EventSubTransport.AUTO:
            return self.eventsub_transport
        if self.webhook_url is not None:
            return EventSubTransport.WEBHOOK
        if self.has_twitch_credentials:
            return EventSubTransport.CONDUIT
        return EventSubTransport.NONE
