"""Signals that ask a process to stop."""

import signal
import threading

from streamwatch.dev.process_group import stopped_by_signals
from streamwatch.stop_signals import call_on_signals


def test_handler_waits_for_no_lock_that_the_main_thread_holds() -> None:
    lock, called = threading.Lock(), threading.Event()

    def stop() -> None:
        with lock:
            called.set()

    previous = signal.getsignal(signal.SIGUSR1)
    try:
        call_on_signals([signal.SIGUSR1], stop)
        with lock:
            signal.raise_signal(signal.SIGUSR1)
        assert called.wait(10)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_program_started_by_nohup_survives_the_end_of_the_terminal() -> None:
    previous = {
        number: signal.getsignal(number)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    }
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does
        stopped = stopped_by_signals()
        signal.raise_signal(signal.SIGHUP)
        assert not stopped.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)
        assert stopped.wait(10)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
