"""Signals that ask a process to stop, such as SIGTERM and Ctrl-C."""

import signal
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from types import FrameType


def call_on_signals(numbers: Iterable[int], stop: Callable[[], None]) -> None:
    """Call `stop` once, in a thread of its own, when the process receives one of these signals.

    Python runs a signal handler in the main thread, between any two instructions. If `stop` ran
    there and set the event that the main thread waits for, it could wait for ever for a lock that
    the main thread holds. `SimpleQueue.put` is reentrant, so the handler does nothing else:
    https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
    """
    received: SimpleQueue[int] = SimpleQueue()

    def handle(number: int, _frame: FrameType | None) -> None:
        received.put(number)

    def wait() -> None:
        received.get()
        stop()

    threading.Thread(target=wait, name="stop-signals", daemon=True).start()
    for number in numbers:
        signal.signal(number, handle)
