"""One waits for a database that says nothing; the others are told."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamwatch.circuit_breaker import CircuitBreaker


class Unanswered(Exception):
    pass


class Refused(Exception):
    pass


class Other(Exception):
    pass


def is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, Unanswered)


@pytest.fixture
def silence() -> CircuitBreaker:
    made = CircuitBreaker(is_timeout, Refused)
    fail(made, Unanswered)
    return made


def fail(silence: CircuitBreaker, error: type[Exception]) -> None:
    with pytest.raises(error), silence:
        raise error


def while_one_asks_in_vain(silence: CircuitBreaker, then: Callable[[], None]) -> None:
    asked, end = threading.Event(), threading.Event()

    def ask() -> None:
        with silence:
            asked.set()
            assert end.wait(10)
            raise Unanswered

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        assert asked.wait(10)
        then()
        end.set()
        assert isinstance(asking.exception(), Unanswered)


def test_while_one_waits_in_silence_the_others_are_refused(silence: CircuitBreaker) -> None:
    while_one_asks_in_vain(silence, lambda: fail(silence, Refused))


def test_the_next_one_asks_again(silence: CircuitBreaker) -> None:
    fail(silence, Unanswered)
    with silence:
        pass


@pytest.mark.parametrize("error", [None, Other])
def test_an_answer_of_any_kind_ends_the_silence(
    silence: CircuitBreaker, error: type[Exception] | None
) -> None:
    if error is None:
        with silence:
            pass
    else:
        fail(silence, error)
    with silence, silence:  # as of two threads
        pass


def test_who_waited_in_turn_goes_on_when_another_has_heard(silence: CircuitBreaker) -> None:
    heard = threading.Barrier(2)

    def hear() -> None:
        with silence:
            heard.wait(10)

    with ThreadPoolExecutor(1) as threads:
        hearing = threads.submit(hear)
        heard.wait(10)
        with silence:
            pass
        hearing.result()


def test_before_anything_was_silent_nobody_waits_for_anybody() -> None:
    silence = CircuitBreaker(is_timeout, Refused)
    while_one_asks_in_vain(silence, lambda: fail(silence, Other))
