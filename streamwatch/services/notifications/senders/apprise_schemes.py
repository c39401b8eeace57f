"""Which Apprise URLs are accepted, by scheme: https://appriseit.com/services."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote_plus, urlsplit

CLOUD_SCHEMES = frozenset(
    {"gchat", "line", "pbul", "pover", "pushy", "slack", "tgram", "twilio", "wxteams"}
)
"""Services with addresses of their own, which no part of the URL changes."""

ZULIP = "zulip"

HOST_SCHEMES = frozenset(
    scheme + end
    for scheme in ("gotify", "hassio", "matrix", "mmost", "ntfy", "rocket", "signal")
    for end in ("", "s")
) | {ZULIP}
"""Services on the host that the URL names."""

MAIL_SCHEMES = frozenset({"mailto", "mailtos"})
"""Mail, by the SMTP server that the URL names, or that of a known provider."""

FORBIDDEN_ARGUMENTS = frozenset(
    {"keyfile", "pgp", "pgpprv", "pgppub", "subfile", "template", "wkd"}
)
"""Arguments, after the `?`, with which Apprise reads a file of this machine or fetches an address
that was not checked: templates, keys, subscriptions."""

NOT_INSTALLED = 'Apprise is not installed: see "Other services" in docs/notifications.md.'

SCHEMES = CLOUD_SCHEMES | HOST_SCHEMES | MAIL_SCHEMES


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def host_in(url: str) -> str | None:
    """The host that is connected to, as far as the URL alone says it."""
    scheme = scheme_of(url)
    if scheme in MAIL_SCHEMES:
        return _mail_server_in(url)
    if scheme not in HOST_SCHEMES:
        return None
    parts = urlsplit(url)
    return None if is_ntfy_cloud(parts) or is_zulip_cloud(parts) else parts.hostname


def _mail_server_in(url: str) -> str | None:
    """The SMTP server of a URL: `smtp=`, or the host if it is an IP address. For a domain, Apprise
    may choose the server of its provider, so that the URL alone does not say it."""
    server = _arguments_in(url).get("smtp")
    if server:
        return server
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return None
    return host


def is_ntfy_cloud(parts: SplitResult) -> bool:
    """Whether this is `ntfy://topic`: a topic of ntfy.sh, not a host."""
    return parts.scheme.startswith("ntfy") and not parts.path.strip("/")


def is_zulip_cloud(parts: SplitResult) -> bool:
    """Whether this is `zulip://bot@name/…`: an organization on zulipchat.com, not a host."""
    return parts.scheme == ZULIP and "." not in (parts.hostname or "")


def fault_of(url: str, *, any_scheme: bool) -> str | None:
    """Why a URL is not taken, whatever its host is; None if it is. `any_scheme` takes all of
    Apprise's schemes, also those that reach addresses which were not checked."""
    scheme = scheme_of(url)
    if scheme not in SCHEMES and not any_scheme:
        return (
            f"the scheme {scheme}:// is not taken; known: {', '.join(sorted(SCHEMES))}; others need"
            " NOTIFICATIONS_ALLOW_PRIVATE=true"
        )
    forbidden = _forbidden_arguments_in(url)
    if forbidden:
        return (
            f"{forbidden[0]}= is not allowed in the URL: Apprise would read a local file or fetch"
            " an address with it"
        )
    return None


def _forbidden_arguments_in(url: str) -> list[str]:
    """Those of FORBIDDEN_ARGUMENTS that a URL has."""
    return sorted(FORBIDDEN_ARGUMENTS & _arguments_in(url).keys())


def _arguments_in(url: str) -> dict[str, str]:
    """The arguments of a URL by name. As in Apprise, `&` and `;` separate them, names are
    percent-encoded, in any case, with blanks around them, and the last of a name counts."""
    parts = (each.partition("=") for each in re.split("[&;]", url.partition("?")[2]))
    return {
        unquote_plus(name).strip().lower(): unquote_plus(value).strip() for name, _, value in parts
    }
