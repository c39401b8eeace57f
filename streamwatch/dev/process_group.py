"""Several processes that start together and end together, as one."""

import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from streamwatch.dev.child_process import terminate_with_parent

STOP_SECONDS = 9
"""How long what is in flight may take after a request to stop: a process has 10 seconds."""

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[bytes]


def stopped_by_signals() -> threading.Event:
    """Is set when this process is asked to end: by Ctrl-C, by SIGTERM, or with its terminal."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in _STOPPING:
        signal.signal(number, stop)
    return stopped


class ProcessGroup:
    """Runs commands until one of them ends or it is asked to stop; then all end.

    Each has a session of its own, so that Ctrl-C, which a terminal sends to everybody, comes to
    them in the one way that lets them finish: SIGTERM, from here.
    """

    def __init__(self, environment: Mapping[str, str], stopped: threading.Event) -> None:
        self._environment = environment
        self._stopped = stopped

    def run(
        self, commands: Mapping[str, Sequence[str]], others: Sequence[Process] = ()
    ) -> str | None:
        """The name of the process that ended by itself, "" for one of `others`, which are watched
        and not ended; None where we were asked to stop."""
        running: dict[str, Process] = {}
        try:
            for name, command in commands.items():
                running[name] = self._start(command)
            watched = [*running.items(), *(("", other) for other in others)]
            while not self._stopped.wait(0.1):
                for name, process in watched:
                    if process.poll() is not None:
                        return name
        finally:
            _stop(list(running.values()))
        return None

    def _start(self, command: Sequence[str]) -> Process:
        return subprocess.Popen(  # noqa: S603  our own commands
            command,
            env=self._environment,
            start_new_session=True,
            preexec_fn=terminate_with_parent,  # noqa: PLW1509  nothing but a system call
        )


def _stop(processes: Sequence[Process]) -> None:
    """Ask all to end, and end what has not after a while."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
