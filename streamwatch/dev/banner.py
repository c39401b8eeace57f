"""What `streamwatch dev` prints once it serves."""

from streamwatch import __version__
from streamwatch.secret_file import API_KEY_FILE
from streamwatch.settings import EMBEDDED, LOOPBACK, EventSubTransport, Settings

_APPLICATIONS = "https://dev.twitch.tv/console/apps"

_ALL_INTERFACES = frozenset({"0.0.0.0", "::"})  # noqa: S104  binds nothing


def web_address(settings: Settings) -> str:
    """The address to open in a browser on this machine."""
    # A socket that listens on :: accepts IPv4 too.
    host = "127.0.0.1" if settings.host in _ALL_INTERFACES else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def banner(settings: Settings) -> str:
    """Address, dashboard, data folder, key, and what is missing."""
    address = web_address(settings)
    rows = {
        "Address": address + _reach(settings),
        "Dashboard": f"{address}/dashboard",
        "API": f"{address}/docs",
        "Data": _data(settings),
        "API key": _key(settings),
        "Twitch": _twitch(settings, address),
    }
    lines = [f"  {label:11}{text}" for label, text in rows.items() if text]
    return "\n".join(
        ["", f"StreamWatch {__version__} is running. Ctrl-C stops it.", "", *lines, ""]
    )


def _reach(settings: Settings) -> str:
    return (
        "" if settings.host in LOOPBACK else f" (listens on {settings.host}, port {settings.port})"
    )


def _data(settings: Settings) -> str:
    if settings.storage_type == EMBEDDED:
        return str(settings.data_dir.absolute())
    if settings.storage_type == "memory":
        return "in memory, lost at the end (STORAGE_TYPE=memory)"
    return f"STORAGE_TYPE={settings.storage_type}"


def _key(settings: Settings) -> str:
    if settings.api_key_is_new:
        [key] = settings.api_keys
        place = settings.data_dir / API_KEY_FILE
        stored = "" if settings.storage_type == "memory" else f"; it is stored in {place}"
        return f"{key} (shown once{stored})"
    return ""


def _twitch(settings: Settings, address: str) -> str:
    if not settings.has_twitch_credentials:
        where = (
            f"Enter them at {address}/dashboard, or set"
            if settings.storage_type == EMBEDDED
            else "Set"
        )
        return (
            f"no credentials yet. {where} TWITCH_CLIENT_ID\n{'':13}and TWITCH_CLIENT_SECRET in"
            f" .env; get them from {_APPLICATIONS}"
        )
    return {
        EventSubTransport.WEBHOOK: f"events arrive by webhook at {settings.webhook_url}",
        EventSubTransport.CONDUIT: "events arrive over a WebSocket; no public address is needed",
    }.get(settings.transport, f"polled every {settings.refresh_seconds} s")
