"""Apprise's services: Telegram, ntfy, mail and others by URL.

The library is an extra, takes a second to import, and logs secrets. So it is imported when the
first message is sent, in the worker alone, and its log lines are not written to our log.
"""

import logging
import re
import threading
from typing import Any, Self

from streamwatch.domain.notifications.models import Notification, SendResult
from streamwatch.services.notifications.addresses import AddressError, AddressPolicy
from streamwatch.services.notifications.http import ANSWER_SECONDS, CONNECT_SECONDS
from streamwatch.services.notifications.senders.apprise_schemes import (
    CLOUD_SCHEMES,
    MAIL_SCHEMES,
    NOT_INSTALLED,
    ZULIP,
    fault_of,
    scheme_of,
)
from streamwatch.services.notifications.senders.base import (
    MAX_DETAIL,
    Message,
    Sender,
    Sent,
    redact,
)
from streamwatch.services.notifications.time_limit import TimeLimitExceeded, run_with_limit

SEND_SECONDS = 20.0

_HOST_NAME = re.compile(r"[\w.-]+")
"""A name or an IPv4 address. With any other character, such as `/` or `@`, Apprise would connect to
another host than the one that was resolved."""


class AppriseSender(Sender):
    at_once = 1

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    def send(self, notification: Notification, message: Message) -> Sent:
        try:
            result = self._send(notification.url, message)
        except ImportError:
            result = SendResult(delivered=False, detail=NOT_INSTALLED)
        except AddressError as error:
            result = SendResult(delivered=False, detail=str(error))
        except Exception as error:  # noqa: BLE001  any of 170 plug-ins; its text may hold secrets
            result = SendResult(delivered=False, detail=f"Apprise failed ({type(error).__name__})")
        return Sent(result)

    def _send(self, url: str, message: Message) -> SendResult:
        fault = fault_of(url, any_scheme=self._policy.allow_private)
        if fault:
            return SendResult(delivered=False, detail=fault)
        scheme = scheme_of(url)
        server = _server(url)
        if server is None:
            return SendResult(delivered=False, detail=f"not a URL that {scheme}:// takes")
        self._check_host(server, scheme)
        subject = message.text.strip().splitlines()[0] if scheme in MAIL_SCHEMES else ""
        text = message.text[: server.body_maxlen]
        try:
            warnings = run_with_limit(lambda: _notify(server, subject, text), SEND_SECONDS)
        except TimeLimitExceeded:
            return _failed(server, "the service did not answer in time")
        if warnings is None:
            return SendResult(delivered=True, detail="the service took the message")
        shown = redacted(warnings, url)[:MAX_DETAIL]
        detail = "the service did not take the message"
        return _failed(server, f"{detail}: {shown}" if shown else detail)

    def _check_host(self, server: Any, scheme: str) -> None:
        """Check the address that the service connects to, where the URL decides it."""
        if self._policy.allow_private:
            return  # nothing to check, and the URLs of other schemes need not have a host
        if scheme in CLOUD_SCHEMES or getattr(server, "mode", None) == "cloud":
            return
        host = _host(server, scheme)
        if not _HOST_NAME.fullmatch(host):
            raise AddressError(f"the host {host} is not a valid name")
        self._policy.addresses(host, server.port or 443)


def _host(server: Any, scheme: str) -> str:
    """The host that the service connects to."""
    if scheme == ZULIP:
        return f"{server.organization}.{server.hostname}"
    return str(server.smtp_host if scheme in MAIL_SCHEMES else server.host)


def redacted(text: str, url: str) -> str:
    """`text` without any part of `url` that may be secret."""
    return redact(text, set(re.split(r"[/@:?&=#]+", url)) - {scheme_of(url)})


def _server(url: str) -> Any:
    """Apprise's object for a URL, with our limits; None for a URL that it does not take."""
    import apprise  # noqa: PLC0415  see the module's docstring

    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.WARNING)
    # With a timeout Apprise would send in a thread of its own, whose warnings are not collected.
    asset = apprise.AppriseAsset(async_mode=False, service_timeout=0)
    server: Any = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if server is not None:
        server.redirects = False
        server.retry = 0
        server.socket_connect_timeout = CONNECT_SECONDS
        server.socket_read_timeout = ANSWER_SECONDS
    return server


def _failed(server: Any, detail: str) -> SendResult:
    """The result of an attempt that was made. Apprise does not say which recipients of a URL took a
    message, so it is not sent again to several: those who took it would get it with every attempt.
    """
    recipients = len(server)
    if recipients > 1:
        detail = f"not tried again, as some of {recipients} recipients may have it: {detail}"
    return SendResult(delivered=False, detail=detail, is_final=recipients > 1)


def _notify(server: Any, title: str, text: str) -> str | None:
    """Send plain text. Returns None for a success, else what Apprise warned about.

    Apprise escapes the text for services that take HTML or Markdown: titles of streams may contain
    either, and Telegram refuses HTML that it cannot read.
    """
    import apprise  # noqa: PLC0415  see the module's docstring

    targets = apprise.Apprise()
    targets.add(server)
    with _Warnings() as warnings:
        if targets.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
            return None
    return " ".join(warnings.texts)


class _Warnings(logging.Handler):
    """Collects what Apprise warns about in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.texts.append(record.getMessage())

    def __enter__(self) -> Self:
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
