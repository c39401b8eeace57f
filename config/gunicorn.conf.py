"""gunicorn for StreamWatch. https://docs.gunicorn.org/en/stable/settings.html"""

import gc
import sys
import time
from importlib import import_module
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from streamwatch.bootstrap import build
from streamwatch.logs import log_uncaught, logging_config
from streamwatch.server import metrics_directory
from streamwatch.settings import SettingsError, from_env

try:
    _settings = from_env()
    # Connects to nothing; a backend that does not exist is told here, once, and not by each worker.
    build(_settings)
except SettingsError as error:
    sys.exit(str(error))

bind = f"0.0.0.0:{_settings.port}"
workers = _settings.web_concurrency
threads = _settings.web_threads


class LeavesSome(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads, and connections left to other processes. Of those that come in one burst the process
    that wakes first would take all, and have all the work for as long as they are kept: 99 of 100
    messages were answered within 10 times the median, and within 2 with their fair share."""

    def accept(self, listener: Any) -> None:
        """With more than it can serve at once, let another be faster for a moment."""
        super().accept(listener)
        if self.nr_conns > self.cfg.threads:
            time.sleep(0.0005)


worker_class = LeavesSome if workers > 1 else "gthread"

# No preload_app: the databases' clients are built in each process, after the fork.
preload_app = False

# A webhook is answered in milliseconds; what takes longer waits for Twitch or a database, each with
# its own shorter limit.
timeout = 30

# Within the 10 seconds that a process has to end after SIGTERM.
graceful_timeout = 8

# Longer than most proxies keep an idle connection to us, so that they close it, not we.
keepalive = 75

# gunicorn's control socket would write into $HOME, which a read-only image does not have.
control_socket_disable = True

# Heartbeats of the worker processes: memory, not a disk that may be slow.
worker_tmp_dir = "/dev/shm" if sys.platform == "linux" else None  # noqa: S108  gunicorn makes it safe

logconfig_dict = logging_config(_settings)


class CountedNotLogged(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The metrics count requests. gunicorn would put a line together for each and throw it away,
    which took a tenth of a short answer's time."""

    def access(self, *_: Any) -> None:
        """Log nothing."""


logger_class = CountedNotLogged

# Where the processes add up what they count, in TMPDIR. prometheus_client looks for it when it is
# imported: not before this line.
metrics_directory.prepare()


def post_fork(_server: Any, _worker: Any) -> None:
    log_uncaught()


def settle() -> None:
    """Keep the garbage collector from what was loaded and stays, and let it come less often: it
    took a tenth of the time of the processes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def post_worker_init(worker: Any) -> None:
    """Let the endless answers of /events/live end with their worker, which waits for every answer
    that is under way."""
    settle()
    worker.wsgi.extensions["streamwatch"].broadcaster.ends_when(lambda: not worker.alive)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a process that has ended; its counters still count."""
    mark_process_dead = import_module("prometheus_client.multiprocess").mark_process_dead
    mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    metrics_directory.remove()
