"""The Apprise URLs that are taken, by scheme: https://appriseit.com/services."""

from urllib.parse import SplitResult, urlsplit

CLOUD_SCHEMES = frozenset(
    {"gchat", "line", "pbul", "pover", "pushy", "slack", "tgram", "twilio", "wxteams", "zulip"}
)
"""Services with addresses of their own, which no part of the URL changes."""

HOST_SCHEMES = frozenset(
    scheme + end
    for scheme in ("gotify", "hassio", "matrix", "mmost", "ntfy", "rocket", "signal")
    for end in ("", "s")
)
"""Services on the host that the URL names."""

MAIL_SCHEMES = frozenset({"mailto", "mailtos"})
"""Mail, by the SMTP server that the URL names, or that of a known provider."""

NOT_INSTALLED = 'Apprise is not installed: see "Other services" in docs/notifications.md.'

SCHEMES = CLOUD_SCHEMES | HOST_SCHEMES | MAIL_SCHEMES


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def host_in(url: str) -> str | None:
    """The host that is connected to, as far as the URL alone says it."""
    if scheme_of(url) not in HOST_SCHEMES:
        return None
    parts = urlsplit(url)
    return None if is_ntfy_cloud(parts) else parts.hostname


def is_ntfy_cloud(parts: SplitResult) -> bool:
    """Whether this is `ntfy://topic`: a topic of ntfy.sh, not a host."""
    return parts.scheme.startswith("ntfy") and not parts.path.strip("/")
