"""The worker process, `python -m streamwatch.worker`, and the worker thread of memory storage.

A process that is killed loses nothing: jobs run again, and feed entries are delivered again.
"""

import atexit
import logging
import logging.config
import os
import signal
import sys
import threading
import time

from streamwatch.bootstrap import Services, build
from streamwatch.domain.times import utc_now
from streamwatch.logs import log_uncaught, logging_config
from streamwatch.services.locks import process_name
from streamwatch.services.subscriptions.transport import Method
from streamwatch.settings import SettingsError, from_env
from streamwatch.worker.backfill_thread import BackfillThread
from streamwatch.worker.eventsub_listener import HANDOVER_SECONDS, EventSubListener, ListenerParts
from streamwatch.worker.jobs import build_jobs
from streamwatch.worker.notifications_thread import NotificationThreads
from streamwatch.worker.projector_thread import ProjectorThread
from streamwatch.worker.scheduler import STOP_SECONDS, Worker

log = logging.getLogger("streamwatch.worker")

_PROJECTOR_STOP_SECONDS = 3
"""The share of STOP_SECONDS in which the projector may finish its batch."""


_BACKFILL_STOP_SECONDS = 1.0

_LISTENER_STOP_SECONDS = HANDOVER_SECONDS + 0.5
"""How much of it the WebSocket may use until a successor is attached."""


def _worker(services: Services) -> Worker:
    return Worker(services.storage.coordination, build_jobs(services), utc_now, process_name())


def _listener(services: Services, worker: Worker) -> EventSubListener | None:
    """The listener, started, if events arrive through a conduit."""
    if services.subscriptions.method is not Method.CONDUIT:
        return None
    parts = ListenerParts(
        coordination=services.storage.coordination,
        conduit=services.conduit,
        receiver=services.receiver,
        connect=services.connect_eventsub,
        poll_all=services.poller.poll_all,
        count=services.message_counters.count,
        is_shared=services.storage.shared,
    )
    listener = EventSubListener(parts, lambda: worker.lease)
    listener.start()
    return listener


def _backfill_thread(services: Services, worker: Worker) -> BackfillThread:
    """The thread that reads archived videos, started."""
    thread = BackfillThread(services.backfills, lambda: worker.lease is not None)
    thread.start()
    return thread


def start_in_thread(services: Services) -> Worker:
    """Run the worker in a thread of the web process, for a storage in its memory."""
    worker = _worker(services)
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    projecting = ProjectorThread(services.projector)
    projecting.start()
    listener = _listener(services, worker)
    notifying = NotificationThreads(services.notifications, services.storage.coordination)
    notifying.start()
    backfilling = _backfill_thread(services, worker)

    def stop() -> None:
        worker.stop()
        backfilling.stop(_BACKFILL_STOP_SECONDS)
        notifying.stop()
        if listener is not None:
            listener.stop(_LISTENER_STOP_SECONDS)
        projecting.stop(_PROJECTOR_STOP_SECONDS)
        thread.join(STOP_SECONDS - _PROJECTOR_STOP_SECONDS)

    atexit.register(stop)
    return worker


def main() -> int:
    """Run a worker process; returns its exit status."""
    _use_utc()
    try:
        settings = from_env()
        logging.config.dictConfig(logging_config(settings))
        log_uncaught()
        for warning in settings.warnings:
            log.warning(warning)
        services = build(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201  one line a fault, before there are logs
        return 1
    if not services.storage.shared:
        log.info("STORAGE_TYPE=%s: the web process does the worker's work", settings.storage_type)
        return 0
    worker = _worker(services)
    listener = _listener(services, worker)

    def stop(*_: object) -> None:
        worker.stop()
        if listener is not None:
            listener.request_stop()
        threading.Thread(target=_exit_after_timeout, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("Worker started")
    projecting = ProjectorThread(services.projector)
    projecting.start()
    notifying = NotificationThreads(services.notifications, services.storage.coordination)
    notifying.start()
    backfilling = _backfill_thread(services, worker)
    worker.run()
    backfilling.stop(_BACKFILL_STOP_SECONDS)
    notifying.stop()
    if listener is not None:
        listener.stop(_LISTENER_STOP_SECONDS)
    projecting.stop(_PROJECTOR_STOP_SECONDS)
    services.close()
    log.info("Worker stopped")
    return 0


def _exit_after_timeout() -> None:
    """End the process even if a job hangs."""
    time.sleep(STOP_SECONDS)
    os._exit(1)


def _use_utc() -> None:
    """Set the time zone to UTC: `schedule` uses local time, which jumps twice a year."""
    os.environ["TZ"] = "UTC"
    time.tzset()
