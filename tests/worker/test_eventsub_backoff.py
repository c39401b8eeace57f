"""The pauses between attempts to connect to EventSub, and what follows a failed attempt."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from streamwatch.bootstrap import build
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.settings import Settings
from streamwatch.simulator import Simulator
from streamwatch.storage.base import StorageUnavailable
from streamwatch.twitch.base import TwitchUnavailable
from streamwatch.worker import eventsub_listener
from tests.waiting import wait_for
from tests.worker.listening import Worker, is_attached, settings_for


class ImmediateEvent(threading.Event):
    """An event that ends each limited wait at once, and records its limit."""

    waits: list[float]

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        self.waits.append(timeout)
        return super().wait(0.001)


@contextmanager
def failing_listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A leading listener whose attempts all fail before the connection is attached; yields the
    pauses between its attempts, in seconds."""

    def fail() -> NoReturn:
        raise TwitchUnavailable("Twitch is down.")

    services = build(Settings())
    monkeypatch.setattr(services.conduit, "ensure", fail)
    waits: list[float] = []
    monkeypatch.setattr(ImmediateEvent, "waits", waits, raising=False)
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Event", ImmediateEvent)
        worker = Worker(services)
    try:
        worker.lead()
        yield waits
    finally:
        worker.stop()
        services.close()


def test_a_failure_that_persists_for_hours_does_not_end_the_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with failing_listener(monkeypatch) as waits:
        wait_for(lambda: waits.count(eventsub_listener.MAX_BACKOFF_SECONDS) > 1100, 60)


def test_an_attempt_that_fails_slowly_does_not_reset_the_back_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(eventsub_listener, "_STABLE_SECONDS", -1.0)  # each attempt takes longer
    with failing_listener(monkeypatch) as waits:
        wait_for(lambda: eventsub_listener.MAX_BACKOFF_SECONDS in waits, 10)


def test_a_reconciliation_that_could_not_be_requested_is_requested_at_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = iter([StorageUnavailable("Redis did not answer.")])
    with Simulator() as twitch:
        services = build(settings_for(twitch))
        coordination = services.storage.coordination
        request_job = coordination.request_job

        def fail_once(name: str) -> None:
            for error in failures:
                raise error
            request_job(name)

        monkeypatch.setattr(coordination, "request_job", fail_once)
        worker = Worker(services)
        try:
            worker.lead()
            wait_for(lambda: RECONCILE in coordination.job_requests(), 10)
            wait_for(lambda: is_attached(twitch), 10)
        finally:
            worker.stop()
            services.close()
