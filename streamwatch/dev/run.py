"""Runs everything that `streamwatch dev` consists of, until it is stopped."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import urllib3
from gunicorn.systemd import sd_notify

from streamwatch.dev.banner import banner, web_address
from streamwatch.dev.data_dir import locked_data_dir
from streamwatch.dev.disk import DiskGuard
from streamwatch.dev.errors import StartError
from streamwatch.dev.process_group import ProcessGroup
from streamwatch.dev.valkey import Valkey
from streamwatch.settings import EMBEDDED, Settings
from streamwatch.settings.credentials import credentials_file

log = logging.getLogger("streamwatch.dev")

GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "python:streamwatch.server.gunicorn_conf"]
WORKER = [sys.executable, "-m", "streamwatch.worker"]

_LOOP_SECONDS = 0.1
_DISK_SECONDS = 1.0


def run(
    settings: Settings,
    environment: Mapping[str, str],
    stopped: threading.Event,
    show: Callable[[str], None],
) -> None:
    """Start the storage, the web process and the worker, and `show` the banner once they serve.

    Returns when `stopped` is set. Raises StartError, also where a process ends by itself.
    """
    with ExitStack() as stack:
        server = None
        if settings.storage_type == EMBEDDED:
            stack.enter_context(locked_data_dir(settings.data_dir))
            server = EmbeddedServer(settings.data_dir, DiskGuard(settings.data_dir))
            stack.callback(server.stop)
            server.start()
        _check_port(settings)
        group = stack.enter_context(ProcessGroup(environment))
        group.start("web", [*GUNICORN, "streamwatch.dev.wsgi:app"])
        if settings.storage_type != "memory":  # with which the web process does the worker's work
            group.start("worker", WORKER)
        announcement = Announcement(settings, show)
        credentials = _CredentialsWatcher(settings.data_dir, group)
        while not stopped.wait(_LOOP_SECONDS):
            announcement.check()
            credentials.check()
            if server is not None:
                server.check()
            ended = group.ended()
            if ended is not None:
                raise StartError(f"The {ended} process has ended; the others were stopped.")


def _check_port(settings: Settings) -> None:
    """Raise StartError where the web process could not listen."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise StartError(
                f"PORT: {settings.port} on HOST {settings.host} cannot be used"
                f" ({error.strerror}); set another, such as PORT={settings.port + 1}"
            ) from None


class Announcement:
    """Shows the banner, and tells systemd that the service is ready, once the web answers."""

    def __init__(self, settings: Settings, show: Callable[[str], None]) -> None:
        self._settings = settings
        self._show = show
        self._done = False

    def check(self) -> None:
        if not self._done and _answers(web_address(self._settings)):
            self._done = True
            self._show(banner(self._settings))
            sd_notify("READY=1", log)


class _CredentialsWatcher:
    """Restarts the processes after Twitch credentials were entered in the browser."""

    def __init__(self, data_dir: Path, group: ProcessGroup) -> None:
        self._file = credentials_file(data_dir)
        self._group = group
        self._seen = self._version()

    def check(self) -> None:
        version = self._version()
        if version != self._seen:
            self._seen = version
            log.info("The Twitch credentials have changed: the processes read them now")
            self._group.reload("web")
            if "worker" in self._group:
                self._group.restart("worker")

    def _version(self) -> int | None:
        try:
            return self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return None


class EmbeddedServer:
    """The embedded Valkey server. If it ended because the disk was full, it starts again once there
    is room."""

    def __init__(self, data_dir: Path, disk: DiskGuard) -> None:
        self._valkey = Valkey(data_dir)
        self._disk = disk
        self._data_dir = data_dir
        self._next_check = 0.0
        self._waiting = False

    def start(self) -> None:
        """Start the server. Raises StartError."""
        try:
            self._valkey.start()
        except StartError:
            if not self._disk.is_full():
                raise
            raise StartError(f"The disk of DATA_DIR ({self._data_dir}) is full.") from None

    def stop(self) -> None:
        """End the server."""
        self._valkey.stop()

    def check(self) -> None:
        """Check the server and the disk, at most once a second. Raises StartError."""
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + _DISK_SECONDS
            try:
                self.check_now()
            except OSError as error:
                raise StartError(
                    f"DATA_DIR: {str(self._data_dir)!r} can no longer be used ({error.strerror});"
                    " everything was stopped."
                ) from None

    def check_now(self) -> None:
        """Check the server and the disk now. Raises StartError if the server has ended although the
        disk has room."""
        if not self._valkey.has_ended():
            self._disk.check()
        elif not self._disk.is_full():
            if not self._waiting:
                raise StartError("The storage process has ended; the others were stopped.")
            self._disk.forget()
            self._valkey.start()
            self._waiting = False
            log.info("The disk of DATA_DIR has room again: the storage has started")
        elif not self._waiting:
            self._waiting = True
            log.error("The disk of DATA_DIR (%s) is full: the storage is down", self._data_dir)


def _answers(address: str) -> bool:
    try:
        answer = urllib3.request("GET", f"{address}/health/live", timeout=2, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == HTTPStatus.OK
