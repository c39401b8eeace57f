"""Signals that ask a process to stop."""

import signal
import threading

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
