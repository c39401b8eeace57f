"""The end of a worker's threads."""

import threading
import time

import pytest

from streamwatch.bootstrap import build
from streamwatch.settings import Settings
from streamwatch.worker import repeating_thread
from streamwatch.worker.repeating_thread import RepeatingThread
from streamwatch.worker.threads import WorkerThreads
from tests.waiting import wait_for

NAMES = {"projector", "backfill", "notifications-reader", "notifications-dispatcher"}


def running() -> set[str]:
    return NAMES & {thread.name for thread in threading.enumerate()}


def test_a_request_to_stop_ends_all_threads() -> None:
    services = build(Settings())
    threads = WorkerThreads(services, lambda: None)
    threads.start()
    try:
        assert running() == NAMES
        threads.request_stop()
        wait_for(lambda: not running(), 10)
    finally:
        threads.stop()
        services.close()


def test_the_wait_for_the_end_counts_from_the_first_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, is_working = threading.Event(), threading.Event()

    def work() -> float:
        is_working.set()
        release.wait(60)
        return 0.0

    thread = RepeatingThread("test", "Testing", work)
    thread.start()
    assert is_working.wait(10)
    try:
        thread.request_stop()
        requested_at = time.monotonic()
        monkeypatch.setattr(repeating_thread, "monotonic", lambda: requested_at + 1800)
        thread.stop(1800)  # waiting half an hour would fail this test
    finally:
        release.set()
