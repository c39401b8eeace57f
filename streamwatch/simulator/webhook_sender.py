"""Delivers signed messages to webhooks, and retries those that were not acknowledged."""

import heapq
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import Self

import urllib3

from streamwatch.domain.eventsub import sign
from streamwatch.simulator.faults import MessageType
from streamwatch.simulator.subscriptions import Subscription
from streamwatch.simulator.web import Document

_THREADS = 8


@dataclass(frozen=True)
class Message:
    """One message, with the same bytes in every attempt. Headers and signature are Twitch's:
    https://dev.twitch.tv/docs/eventsub/handling-webhook-events/"""

    id: str
    type: MessageType
    subscription: Subscription
    sent_at: datetime
    payload: Document
    is_forged: bool = False

    @cached_property
    def body(self) -> bytes:
        return json.dumps(self.payload, separators=(",", ":")).encode()

    @property
    def timestamp(self) -> str:
        # Twitch writes nanoseconds; a receiver that re-formats them breaks the signature.
        return self.sent_at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "345Z"

    def socket_document(self) -> Document:
        """The message as it is sent over a WebSocket."""
        metadata = {
            "message_id": self.id,
            "message_type": self.type,
            "message_timestamp": self.timestamp,
            "subscription_type": self.subscription.type,
            "subscription_version": self.subscription.version,
        }
        return {"metadata": metadata, "payload": self.payload}

    def headers(self, retry: int) -> dict[str, str]:
        timestamp = self.timestamp
        secret = secrets.token_hex() if self.is_forged else self.subscription.secret
        return {
            "Content-Type": "application/json",
            "Connection": "close",
            "Twitch-Eventsub-Message-Id": self.id,
            "Twitch-Eventsub-Message-Retry": str(retry),
            "Twitch-Eventsub-Message-Type": self.type,
            "Twitch-Eventsub-Message-Signature": sign(self.id, timestamp, self.body, secret),
            "Twitch-Eventsub-Message-Timestamp": timestamp,
            "Twitch-Eventsub-Subscription-Type": self.subscription.type,
            "Twitch-Eventsub-Subscription-Version": self.subscription.version,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver `message`; `retry` is 0 for the first. `status` is None and `body`
    empty if no response arrived in time."""

    message: Message
    retry: int
    status: int | None
    body: bytes = b""

    @property
    def is_acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  HTTP's own

    def document(self) -> Document:
        """The attempt as JSON, for tests in another process."""
        return {
            "message_id": self.message.id,
            "message_type": self.message.type,
            "subscription_type": self.message.subscription.type,
            "user_id": self.message.subscription.user_id,
            "event": self.message.payload.get("event"),
            "retry": self.retry,
            "status": self.status,
        }


@dataclass(frozen=True, order=True, slots=True)
class _ScheduledAttempt:
    """An attempt to deliver a message at `due` (monotonic seconds)."""

    due: float
    number: int
    message: Message = field(compare=False)
    retry: int = field(compare=False, default=0)


class WebhookSender:
    """Delivers with a few threads within its `with` block, so that a slow receiver does not delay
    the others.

    `is_wanted` is called before each attempt, and says whether to make it. `answered` is called
    after each attempt, and says whether to retry, in `retry_delays[delivery.retry]` seconds.
    `timeout` is the longest wait for a response, in seconds.
    """

    def __init__(
        self, is_wanted: Callable[[Message], bool], answered: Callable[[Delivery], bool]
    ) -> None:
        self.timeout = 4.0
        self.retry_delays: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
        self.deliveries: list[Delivery] = []
        self._is_wanted = is_wanted
        self._answered = answered
        # No retries, and no redirects either, as Twitch does.
        self._http = urllib3.PoolManager(maxsize=_THREADS, retries=False)
        self._changed = threading.Condition()
        self._scheduled: list[_ScheduledAttempt] = []
        self._numbered = 0
        self._under_way = 0
        self._is_open = True
        self._threads = [
            threading.Thread(target=self._work, name=f"webhook-sender-{n}") for n in range(_THREADS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drop what is not sent yet; a running attempt ends within `timeout`."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._http.clear()

    def send(self, message: Message, *, after: float = 0.0, retry: int = 0) -> None:
        with self._changed:
            self._numbered += 1
            attempt = _ScheduledAttempt(time.monotonic() + after, self._numbered, message, retry)
            heapq.heappush(self._scheduled, attempt)
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float) -> None:
        """Return once every message is acknowledged or given up. Raises TimeoutError after
        `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self.pending, timeout):
                raise TimeoutError(f"{self.pending} messages were not delivered in time")

    @property
    def pending(self) -> int:
        """How many messages are neither acknowledged nor given up."""
        return len(self._scheduled) + self._under_way

    def _work(self) -> None:
        while (attempt := self._next()) is not None:
            if self._is_wanted(attempt.message):
                self._attempt(attempt)
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _next(self) -> _ScheduledAttempt | None:
        """The next attempt, once it is due; None when the sender closes."""
        with self._changed:
            while self._is_open:
                wait = self._scheduled[0].due - time.monotonic() if self._scheduled else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._scheduled)
                self._changed.wait(wait)
        return None

    def _attempt(self, attempt: _ScheduledAttempt) -> None:
        delivery = self._deliver(attempt)
        self.deliveries.append(delivery)
        if self._answered(delivery):
            retry_delay = self.retry_delays[attempt.retry]
            self.send(attempt.message, after=retry_delay, retry=attempt.retry + 1)

    def _deliver(self, attempt: _ScheduledAttempt) -> Delivery:
        message = attempt.message
        unanswered = Delivery(message, attempt.retry, None)
        try:
            response = self._http.request(
                "POST",
                message.subscription.callback,
                body=message.body,
                headers=message.headers(attempt.retry),
                timeout=self.timeout,
            )
        except urllib3.exceptions.HTTPError:
            return unanswered
        return replace(unanswered, status=response.status, body=response.data)
