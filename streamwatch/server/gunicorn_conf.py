"""The configuration of gunicorn: `gunicorn -c python:streamwatch.server.gunicorn_conf`.

https://gunicorn.org/reference/settings/
"""

import logging
import socket
import struct
import sys
from importlib import import_module
from typing import Any

from streamwatch.bootstrap import build
from streamwatch.logs import log_uncaught, logging_config
from streamwatch.redis_urls import MAX_CONNECTIONS
from streamwatch.server import metrics_directory
from streamwatch.server.open_files import raise_open_files
from streamwatch.server.reloading import remember
from streamwatch.services.push.broadcaster import MAX_LISTENERS
from streamwatch.settings import SettingsError, from_env

try:
    _settings = from_env()
    # Connects to nothing. An unknown backend is reported here once, not by each worker.
    build(_settings)
    remember(_settings)
except SettingsError as error:
    sys.exit(str(error))

_SEND_SECONDS = 10
"""How long a client may read nothing of an answer before its connection is closed."""

_MAX_CLIENTS = 1000
"""Connections of clients, most of them idle, in one process."""

_OPEN_FILES = 4096
"""Enough open files for _MAX_CLIENTS and everything else, also with many WEB_THREADS."""

_OTHER_FILES = 100
"""Logs, counters, sockets to listen on, connections to MongoDB and Twitch."""

# Python's socket.sendfile tries again when a send times out.
sendfile = False


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


bind = _address(_settings.host, _settings.port)
workers = _settings.web_concurrency
worker_class = "streamwatch.server.worker.Worker"  # gthread, see there
# Each client of /events/live holds a thread. They are started when needed.
threads = _settings.web_threads + MAX_LISTENERS


# Beyond these no connection is accepted: a process that has no file left for one would end. A
# thread that waits for a request has a file too, as has each connection to Redis.
_free_files = raise_open_files(_OPEN_FILES) - threads - MAX_CONNECTIONS - _OTHER_FILES
worker_connections = max(threads, min(_MAX_CLIENTS, _free_files))

# The clients of the databases are created in each process, after the fork.
preload_app = False

# Requests take milliseconds; calls to Twitch or a database have shorter limits of their own.
timeout = 30

# A process has 10 seconds to end after SIGTERM.
graceful_timeout = 8

# Longer than most proxies keep an idle connection, so that the proxy closes it and not this server.
keepalive = 75

# The control socket would write into $HOME, which a read-only image does not have.
control_socket_disable = True

# Only werkzeug's ProxyFix, set up by TRUSTED_PROXIES, believes headers of proxies.
forwarded_allow_ips = ""
forwarder_headers = ""

# The workers' heartbeat files are in memory, where that can be written to: a disk may be slow.
worker_tmp_dir = str(metrics_directory.MEMORY) if metrics_directory.is_memory_writable() else None

logconfig_dict = logging_config(_settings)

# Sets the environment variable that prometheus_client reads when it is imported, so it must come
# before that import.
metrics_directory.prepare()

# Imported before the fork, so that the processes share the memory of the code: with two of them,
# gunicorn has 88 MB instead of 108.
#
# A reload (SIGHUP) replaces the processes. The new ones read the application's settings from `.env`
# again. What needs a restart: new code, and the settings of gunicorn above (HOST, PORT,
# WEB_CONCURRENCY, WEB_THREADS, LOG_LEVEL, LOG_FORMAT), because Python imports this module once.
import_module("streamwatch.app")


def on_starting(_server: Any) -> None:
    """Log the warnings about settings that are valid but doubtful."""
    for warning in _settings.warnings:
        logging.getLogger("streamwatch.settings").warning(warning)


def when_ready(server: Any) -> None:
    """Limit how long a send may block. Connections inherit the option from the listening socket."""
    limit = struct.pack("@ll", _SEND_SECONDS, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def post_fork(_server: Any, _worker: Any) -> None:
    """Log uncaught exceptions of the worker."""
    log_uncaught()


def post_worker_init(worker: Any) -> None:
    """End the open answers of /events/live with their worker, which waits for every open answer."""
    worker.wsgi.extensions["streamwatch"].broadcaster.ends_when(lambda: not worker.alive)


def child_exit(_server: Any, worker: Any) -> None:
    """Remove the gauges of a process that has ended; its counters still count."""
    import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """Remove the counters' directory."""
    metrics_directory.remove()
