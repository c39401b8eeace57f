"""After a timeout one caller probes the database, and the others fail fast."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamwatch.circuit_breaker import CircuitBreaker


class Timeout(Exception):
    pass


class Open(Exception):
    pass


class Other(Exception):
    pass


def is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, Timeout)


@pytest.fixture
def open_breaker() -> CircuitBreaker:
    breaker = CircuitBreaker(is_timeout, Open)
    fail(breaker, Timeout)
    return breaker


def fail(breaker: CircuitBreaker, error: type[Exception]) -> None:
    with pytest.raises(error), breaker:
        raise error


def during_a_probe_that_times_out(breaker: CircuitBreaker, act: Callable[[], None]) -> None:
    began, end = threading.Event(), threading.Event()

    def probe() -> None:
        with breaker:
            began.set()
            assert end.wait(10)
            raise Timeout

    with ThreadPoolExecutor(1) as threads:
        probing = threads.submit(probe)
        assert began.wait(10)
        act()
        end.set()
        assert isinstance(probing.exception(), Timeout)


def test_callers_fail_fast_while_another_one_probes(open_breaker: CircuitBreaker) -> None:
    during_a_probe_that_times_out(open_breaker, lambda: fail(open_breaker, Open))


def test_the_next_caller_probes_after_a_failed_probe(open_breaker: CircuitBreaker) -> None:
    fail(open_breaker, Timeout)
    with open_breaker:
        pass


@pytest.mark.parametrize("error", [None, Other])
def test_any_answer_closes_the_breaker(
    open_breaker: CircuitBreaker, error: type[Exception] | None
) -> None:
    if error is None:
        with open_breaker:
            pass
    else:
        fail(open_breaker, error)
    with open_breaker, open_breaker:  # as two threads at once
        pass


def test_a_waiting_caller_goes_on_when_the_probe_succeeds(open_breaker: CircuitBreaker) -> None:
    probing = threading.Barrier(2)

    def probe() -> None:
        with open_breaker:
            probing.wait(10)

    with ThreadPoolExecutor(1) as threads:
        probed = threads.submit(probe)
        probing.wait(10)
        with open_breaker:
            pass
        probed.result()


def test_callers_do_not_wait_for_each_other_while_the_breaker_is_closed() -> None:
    breaker = CircuitBreaker(is_timeout, Open)
    during_a_probe_that_times_out(breaker, lambda: fail(breaker, Other))
