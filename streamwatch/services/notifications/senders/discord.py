"""Messages of a Discord webhook: posted, and edited later.

https://discord.com/developers/docs/resources/webhook#execute-webhook
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

from streamwatch.domain.notifications.models import EditRefusal, Notification, SendResult
from streamwatch.domain.notifications.retries import MAX_RETRY_AFTER_SECONDS
from streamwatch.services.documents import Document
from streamwatch.services.notifications.addresses import AddressError
from streamwatch.services.notifications.http import HttpClient, Reply, RequestFailed
from streamwatch.services.notifications.senders.base import Message, Sender, Sent
from streamwatch.services.notifications.senders.webhook import (
    USER_AGENT,
    answer_text,
    retry_after,
)

LIMITS = ((5, 2.0), (30, 60.0))
"""Numbers of calls with their periods in seconds: the limits of a webhook and of its channel."""

_MARGIN_SECONDS = 0.1
"""Added to every pause, because clocks and networks are not exact."""

_UNKNOWN_MESSAGE = 10008
_UNKNOWN_WEBHOOK = 10015
_TOO_MANY_OLD_EDITS = 30046
"""Edits of messages older than an hour are limited; this may come with status 429."""

WEBHOOK_DELETED = "the webhook was deleted in Discord"

_ROLE = re.compile(r"<@&(\d{1,20})>", re.ASCII)
_MARKDOWN = re.compile(r"([\\*_~`|>\[\]<#-])")


class DiscordSender(Sender):
    at_once = 1
    max_length = 2000

    def __init__(self, client: HttpClient, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock

    def escape(self, text: str) -> str:
        return _MARKDOWN.sub(r"\\\1", text)

    def send(self, notification: Notification, message: Message) -> Sent:
        method = "PATCH" if message.edits else "POST"
        mentions_nobody = message.edits or message.is_test
        roles = [] if mentions_nobody else mentioned_roles(notification.template)
        body = {"content": message.text, "allowed_mentions": {"parse": [], "roles": roles}}
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        url = _message_url(notification.url, message.edits)
        try:
            reply = self._client.request(method, url, headers, orjson.dumps(body))
        except (AddressError, RequestFailed) as error:
            result = SendResult(delivered=False, detail=str(error))
            return self._after(message.rate, {}, result)
        return self._after(
            message.rate, reply.headers, self._result(reply, notification.url, message)
        )

    def _result(self, reply: Reply, url: str, message: Message) -> SendResult:
        answer = _json(reply)
        refusal = _refusal(answer.get("code")) if message.edits else None
        wait = None if refusal else _retry_after(reply, answer, self._clock())
        message_id = answer.get("id")
        is_deleted = answer.get("code") == _UNKNOWN_WEBHOOK
        return SendResult(
            delivered=reply.is_success,
            detail=WEBHOOK_DELETED if is_deleted else answer_text(reply, url),
            status_code=reply.status,
            retry_after=wait,
            is_gone=is_deleted or reply.status == HTTPStatus.GONE,
            message_id=message_id if isinstance(message_id, str) else None,
            edit_refusal=refusal,
        )

    def _after(self, rate: Document | None, headers: Mapping[str, str], result: SendResult) -> Sent:
        """The result, with the calls that count against the limits and when the next may go."""
        now = self._clock()
        calls = [*(rate or {}).get("calls", []), now.timestamp()][-LIMITS[-1][0] :]
        waits = [_limit_wait(calls, *limit) for limit in LIMITS]
        if headers.get("x-ratelimit-remaining") == "0":
            waits.append(_number(headers.get("x-ratelimit-reset-after")))
        if result.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            waits.append(result.retry_after or 0.0)
        seconds = min(max(waits), MAX_RETRY_AFTER_SECONDS)
        paused_until = now + timedelta(seconds=seconds + _MARGIN_SECONDS) if seconds else None
        return Sent(result, {"calls": calls}, paused_until)


def mentioned_roles(template: str | None) -> list[str]:
    """The ids of the roles that the template itself mentions."""
    return list(dict.fromkeys(_ROLE.findall(template or "")))


def _message_url(url: str, message_id: str | None) -> str:
    """Where a message is posted (waiting for its id) or edited; a `thread_id` stays."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name == "thread_id"]
    path = parts.path.rstrip("/")
    if message_id:
        path = f"{path}/messages/{message_id}"
    else:
        query.append(("wait", "true"))
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))


def _json(reply: Reply) -> dict[str, Any]:
    try:
        answer = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(code: object) -> EditRefusal | None:
    if code == _TOO_MANY_OLD_EDITS:
        return EditRefusal.TOO_MANY
    return EditRefusal.NO_MESSAGE if code == _UNKNOWN_MESSAGE else None


def _retry_after(reply: Reply, answer: Mapping[str, Any], now: datetime) -> float | None:
    """The body's delay is more exact than the header's."""
    wait = answer.get("retry_after")
    if isinstance(wait, int | float):
        return max(0.0, float(wait))
    return retry_after(reply.headers, now)


def _limit_wait(calls: list[float], count: int, seconds: float) -> float:
    """How long after the last call the next may go, so that no more than `count` are made in any
    `seconds`."""
    if len(calls) < count:
        return 0.0
    return max(0.0, calls[-count] + seconds - calls[-1])


def _number(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0
