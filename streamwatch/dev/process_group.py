"""Processes that start together and end together."""

import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from streamwatch.dev.child_process import terminate_with_parent
from streamwatch.stop_signals import call_on_signals

STOP_SECONDS = 9
"""How long requests in flight may take after a request to stop: a process has 10 seconds."""

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[bytes]


def stopped_by_signals() -> threading.Event:
    """An event that is set by Ctrl-C, by SIGTERM, and when the terminal is closed, unless the
    program was started by nohup."""
    stopped = threading.Event()
    has_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    call_on_signals(_STOP_SIGNALS[:-1] if has_nohup else _STOP_SIGNALS, stopped.set)
    return stopped


class ProcessGroup:
    """Starts commands by name, and ends all of them with the context.

    Each process has a session of its own. A terminal's Ctrl-C would otherwise reach all of them at
    once; here each gets one SIGTERM, which lets it finish its requests.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._commands: dict[str, Sequence[str]] = {}
        self._processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        stop(list(self._processes.values()), STOP_SECONDS)

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process."""
        self._commands[name] = command
        self._processes[name] = start(command, self._environment)

    def restart(self, name: str) -> None:
        """End a process, and start its command again."""
        stop([self._processes[name]], STOP_SECONDS)
        self.start(name, self._commands[name])

    def reload(self, name: str) -> None:
        """Send SIGHUP, at which gunicorn replaces its processes without refusing a request."""
        self._processes[name].send_signal(signal.SIGHUP)

    def __contains__(self, name: object) -> bool:
        return name in self._processes

    def ended(self) -> str | None:
        """The name of a process that has ended, or None while all run."""
        return next(
            (n for n, process in self._processes.items() if process.poll() is not None), None
        )


def start(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
    """Start a process in a session of its own. It ends with this one."""
    return subprocess.Popen(  # noqa: S603  our own commands
        command,
        env=environment,
        start_new_session=True,
        preexec_fn=terminate_with_parent,  # noqa: PLW1509  makes one system call
    )


def stop(processes: Sequence[Process], seconds: float) -> None:
    """Send SIGTERM to the processes, and kill those that still run after `seconds`."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
