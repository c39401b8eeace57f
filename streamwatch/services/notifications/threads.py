"""Threads for work that may block for seconds: one for each piece of work."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

Work = Callable[[], None]

_IDLE_THREADS = 8
"""The number of threads that wait for work."""


class DaemonThreads:
    """Runs work at once: in a waiting thread, or in a new one. The threads do not delay the exit of
    the process. The work must handle its own errors."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._idle = 0
        self._work: SimpleQueue[Work] = SimpleQueue()

    def submit(self, work: Work) -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._work.put(work)
                return
        Thread(target=self._run, args=(work,), name=self._name, daemon=True).start()

    def _run(self, work: Work) -> None:
        while True:
            work()
            with self._lock:
                if self._idle >= _IDLE_THREADS:
                    return
                self._idle += 1
            work = self._work.get()
