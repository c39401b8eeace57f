"""Threads that repeat a piece of work."""

import logging

import pytest

from streamwatch.storage.base import StorageUnavailable
from streamwatch.worker.repeating_thread import RepeatingThread
from tests.waiting import wait_for


def test_a_woken_thread_does_not_wait_for_its_next_call() -> None:
    calls: list[int] = []

    def work() -> float:
        calls.append(1)
        return 3600

    thread = RepeatingThread("test", "Testing", work)
    thread.start()
    wait_for(lambda: len(calls) == 1)
    thread.wake()
    wait_for(lambda: len(calls) == 2)
    thread.stop(10)


def test_a_problem_is_logged_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    failures = iter([StorageUnavailable("Redis did not answer.")] * 3)
    successes: list[int] = []

    def work() -> float:
        for error in failures:
            raise error
        successes.append(1)
        return 0.01

    thread = RepeatingThread("test", "Testing", work, retry_seconds=0.01)
    thread.start()
    wait_for(lambda: len(successes) >= 2)
    thread.stop(10)
    assert [record.getMessage() for record in caplog.records] == [
        "Testing: paused: Redis did not answer.",
        "Testing: resumed",
    ]
