"""Signed webhooks, as Standard Webhooks 1.0 describes them: https://www.standardwebhooks.com."""

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from streamwatch import __version__
from streamwatch.domain.notifications.models import Notification, SendResult
from streamwatch.services.notifications.addresses import AddressError
from streamwatch.services.notifications.http import HttpClient, Reply, RequestFailed
from streamwatch.services.notifications.senders.base import Message, Sender, Sent, excerpt

USER_AGENT = f"StreamWatch/{__version__}"
SECRET_PREFIX = "whsec_"  # noqa: S105  the spec's prefix
_SECRET_BYTES = 32


def new_secret() -> str:
    """A random signing secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(secret: str, webhook_id: str, timestamp: int, body: str) -> str:
    """One entry of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{webhook_id}.{timestamp}.{body}".encode(), "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


class WebhookSender(Sender):
    at_once = 4

    def __init__(self, client: HttpClient, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock

    def send(self, notification: Notification, message: Message) -> Sent:
        body = message.body or ""
        now = self._clock()
        timestamp = int(now.timestamp())
        signatures = [
            sign(secret.value, message.delivery_id, timestamp, body)
            for secret in notification.secrets
            if secret.expires_at is None or now < secret.expires_at
        ]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "webhook-id": message.delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }
        try:
            reply = self._client.request("POST", notification.url, headers, body.encode())
        except (AddressError, RequestFailed) as error:
            return Sent(SendResult(delivered=False, detail=str(error)))
        return Sent(_result(reply, notification.url, now))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds a `Retry-After` asks for; None where there is none that can be read."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def answer_text(reply: Reply, url: str) -> str:
    """What the receiver at `url` answered, in words. Many receivers repeat the path in an error."""
    shown = excerpt(reply.body, _secret_parts(url))
    text = f"the receiver answered {reply.status}"
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        return f"{text}: redirects are not followed, give the final address"
    return f"{text}: {shown}" if shown else text


def _secret_parts(url: str) -> list[str]:
    """The parts of a URL that may be secret: its user info, its query, and the last part of its
    path."""
    parts = urlsplit(url)
    user_info = parts.netloc.rpartition("@")[0]
    values = [value for _, value in parse_qsl(parts.query)]
    return [parts.path.rstrip("/").rpartition("/")[2], parts.query, *values, *user_info.split(":")]


def _result(reply: Reply, url: str, now: datetime) -> SendResult:
    return SendResult(
        delivered=reply.is_success,
        detail=answer_text(reply, url),
        status_code=reply.status,
        retry_after=retry_after(reply.headers, now),
        is_gone=reply.status == HTTPStatus.GONE,
    )
