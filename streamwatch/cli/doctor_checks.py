"""The checks of `streamwatch doctor`."""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

import orjson
import requests

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.bootstrap import Services, twitch_with_own_token
from streamwatch.cli.services import hint_at_dev
from streamwatch.domain.eventsub import (
    MESSAGE_ID,
    MESSAGE_SIGNATURE,
    MESSAGE_TIMESTAMP,
    MESSAGE_TYPE,
    sign,
)
from streamwatch.domain.times import format_time
from streamwatch.services.clock import CorrectedClock
from streamwatch.services.monitoring.health import CONNECTED, RUNNING
from streamwatch.services.subscriptions.conduit import MAX_CONDUITS
from streamwatch.services.subscriptions.transport import Method
from streamwatch.settings import Settings
from streamwatch.storage.base import StorageError, StorageUnavailable, UnsupportedStorage
from streamwatch.twitch.base import TwitchDenied, TwitchError, TwitchNotConfigured

_WEBHOOK_SECONDS = 5
"""Twitch waits a few seconds for an answer."""


class Verdict(StrEnum):
    """The result of a check."""

    OK = "ok"
    NOTE = "note"
    """It works, but in a way that an operator may not expect."""
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of the check of `subject`; `remedy` says how to fix a fault."""

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""


def examine(services: Services) -> Iterator[Finding]:
    """Yield the findings one by one. Each check takes a few seconds at most."""
    yield from _storage(services)
    yield _analytics(services)
    clock = CorrectedClock()
    yield _twitch(services.settings, clock)
    yield from _clock(clock)
    yield _worker(services)
    yield _eventsub(services, clock)
    yield from _targets(services)


def _storage(services: Services) -> Iterator[Finding]:
    kind = services.settings.storage_type
    if not services.storage.shared:
        text = f"{kind}: lost when the web process ends"
        yield Finding("storage", Verdict.NOTE, text, hint_at_dev(services.settings))
        return
    try:
        report = services.storage.check()
    except UnsupportedStorage as error:
        yield Finding("storage", Verdict.FAULT, str(error), "upgrade the server")
    except StorageUnavailable as error:
        remedy = "start the server, or correct its address and password (REDIS_URL)"
        yield Finding("storage", Verdict.FAULT, str(error), remedy)
    else:
        server = f" ({report.server})" if report.server else ""
        yield Finding("storage", Verdict.OK, f"{kind}{server} answers and can be written to")
        for warning in report.warnings:
            yield Finding("storage", Verdict.NOTE, warning)


def _analytics(services: Services) -> Finding:
    kind = services.settings.analytics_type
    try:
        services.analytics.ping()
    except AnalyticsUnavailable as error:
        setting = "MONGODB_URL" if kind == "mongodb" else "REDIS_URL"
        remedy = f"start the server, or correct its address and password ({setting})"
        return Finding("analytics", Verdict.FAULT, str(error), remedy)
    return Finding("analytics", Verdict.OK, f"{kind} answers")


def _clock(clock: CorrectedClock) -> Iterator[Finding]:
    """A finding if the clock is far off. That is not known if Twitch did not answer: `_twitch` says
    so."""
    seconds = clock.offset.total_seconds()
    if clock.is_far:
        direction = "behind" if seconds > 0 else "ahead of"
        text = f"{abs(seconds):.0f} s {direction} Twitch's; times are corrected"
        yield Finding("clock", Verdict.NOTE, f"{text}: synchronize it, for instance with NTP")


def _twitch(settings: Settings, clock: CorrectedClock) -> Finding:
    try:
        # With a new token: a shared one may have been issued for other credentials.
        twitch_with_own_token(settings, clock).users(logins=["twitch"])
    except TwitchNotConfigured:
        remedy = "set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps)"
        return Finding("Twitch", Verdict.FAULT, "no credentials are set", remedy)
    except TwitchDenied as error:
        remedy = (
            "compare TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET with dev.twitch.tv/console/apps,"
            " or make a new secret there"
        )
        return Finding("Twitch", Verdict.FAULT, str(error), remedy)
    except TwitchError as error:
        remedy = (
            "check that this machine reaches api.twitch.tv and id.twitch.tv; after an SSLError,"
            " correct its clock and its CA certificates (REQUESTS_CA_BUNDLE)"
        )
        return Finding("Twitch", Verdict.FAULT, str(error), remedy)
    return Finding("Twitch", Verdict.OK, "accepts the credentials")


def _worker(services: Services) -> Finding:
    if not services.storage.shared:
        return Finding("worker", Verdict.NOTE, "runs in a thread of the web process")
    health = services.health.check()
    if health.storage != CONNECTED:
        return Finding("worker", Verdict.NOTE, "not checked: the storage does not answer")
    if health.worker != RUNNING:
        return Finding(
            "worker",
            Verdict.FAULT,
            "none is running",
            "start `python -m streamwatch.worker`",
        )
    return Finding("worker", Verdict.OK, "runs")


def _eventsub(services: Services, clock: CorrectedClock) -> Finding:
    """Check the transport by which events arrive."""
    match services.subscriptions.method:
        case Method.WEBHOOK:
            return _webhook(services.settings, clock)
        case Method.CONDUIT:
            return _conduit(services)
        case Method.NONE:
            text = "off: streamers are only polled, minutes behind"
            return Finding("eventsub", Verdict.NOTE, text)


def _conduit(services: Services) -> Finding:
    """Whether our conduit exists and its shard is enabled."""
    try:
        conduit_id = services.conduit.id()
        if conduit_id is None:
            return _no_conduit(services)
        shards = services.conduit.shards()
    except TwitchError as error:
        return Finding(
            "eventsub", Verdict.FAULT, str(error), "run doctor again once Twitch answers"
        )
    except StorageError as error:
        return Finding("eventsub", Verdict.NOTE, f"not checked: {error}")
    if shards is None:
        text = f"Twitch has deleted conduit {conduit_id}"
        return Finding("eventsub", Verdict.FAULT, text, "the worker creates another: start it")
    faulty = [shard for shard in shards if shard.status != "enabled"]
    if faulty:
        text = f"shard {faulty[0].id} of conduit {conduit_id} is {faulty[0].status}"
        remedy = "start the worker, and allow connections to eventsub.wss.twitch.tv, port 443"
        return Finding("eventsub", Verdict.FAULT, text, remedy)
    return Finding("eventsub", Verdict.OK, f"conduit {conduit_id} is connected")


def _no_conduit(services: Services) -> Finding:
    if len(services.twitch.conduits()) < MAX_CONDUITS:
        text = "no conduit yet: the worker creates one when it starts"
        return Finding("eventsub", Verdict.NOTE, text)
    return Finding(
        "eventsub",
        Verdict.FAULT,
        f"the application has {MAX_CONDUITS} conduits, and none of them is ours",
        "delete one: streamwatch subscriptions conduits list, then … conduits delete ID",
    )


def _webhook(settings: Settings, clock: CorrectedClock) -> Finding:
    """Send the webhook a challenge, as Twitch does to verify a callback, by Twitch's clock."""
    url = settings.webhook_url
    assert url is not None  # noqa: S101  the transport is the webhook
    challenge = secrets.token_urlsafe(24)
    headers, body = _verification(challenge, settings, clock())
    try:
        answer = requests.post(
            url, data=body, headers=headers, timeout=_WEBHOOK_SECONDS, allow_redirects=False
        )
    except requests.exceptions.SSLError:
        text, remedy = f"the certificate of {url} is invalid", "renew it: Twitch checks it too"
        return Finding("webhook", Verdict.FAULT, text, remedy)
    except requests.RequestException as error:
        text = f"{url} does not answer from here ({type(error).__name__})"
        remedy = "check that the web process runs, and that DNS, firewall and proxy lead to it"
        return Finding("webhook", Verdict.FAULT, text, remedy)
    if (answer.status_code, answer.text) == (HTTPStatus.OK, challenge):
        return Finding("webhook", Verdict.OK, f"{url} answers challenges")
    return _wrong_answer(url, answer.status_code, is_clock_wrong=clock.is_far)


def _wrong_answer(url: str, status: int, *, is_clock_wrong: bool) -> Finding:
    remedy = "check that WEBHOOK_URL leads to this service, through proxies that change nothing"
    if status == HTTPStatus.FORBIDDEN and is_clock_wrong:
        remedy = "synchronize the clock of the web process's machine: it refuses old messages"
    elif status == HTTPStatus.FORBIDDEN:
        remedy = "give the web process the same WEBHOOK_SECRET; without one it has a random one"
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        remedy = "give the address that needs no redirect: Twitch follows none"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy = "read the logs of the web process and of the proxy before it"
    text = f"{url} answered the challenge with status {status}"
    return Finding("webhook", Verdict.FAULT, text, remedy)


def _verification(challenge: str, settings: Settings, at: datetime) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a signed challenge."""
    message_id, timestamp = str(uuid.uuid4()), format_time(at)
    body = orjson.dumps({"challenge": challenge})
    return {
        "Content-Type": "application/json",
        MESSAGE_ID: message_id,
        "Twitch-Eventsub-Message-Retry": "0",
        MESSAGE_TYPE: "webhook_callback_verification",
        MESSAGE_TIMESTAMP: timestamp,
        MESSAGE_SIGNATURE: sign(message_id, timestamp, body, settings.webhook_secrets[0]),
    }, body


def _targets(services: Services) -> Iterator[Finding]:
    """One finding for each notification whose target fails, or one that says that none does."""
    if not services.storage.shared:
        return
    management = services.notifications.management
    try:
        count, failing = len(management.all()), management.failing()
    except StorageUnavailable:  # the finding about the storage says it
        return
    for target in failing:
        since = f" (since {format_time(target.since)})" if target.since else ""
        remedy = "see Manage > Notifications, or `streamwatch notifications deliveries`"
        yield Finding("targets", Verdict.FAULT, f"{target.name}: {target.reason}{since}", remedy)
    if count and not failing:
        yield Finding("targets", Verdict.OK, f"{count} notifications, no failing target")
