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
from streamwatch.settings import SettingsError, from_env
from streamwatch.stop_signals import call_on_signals
from streamwatch.worker.jobs import build_jobs
from streamwatch.worker.scheduler import STOP_SECONDS, Worker
from streamwatch.worker.threads import PROJECTOR_STOP_SECONDS, WorkerThreads

log = logging.getLogger("streamwatch.worker")


def _worker(services: Services) -> Worker:
    return Worker(services.storage.coordination, build_jobs(services), utc_now, process_name())


def start_in_thread(services: Services) -> Worker:
    """Run the worker in a thread of the web process, for a storage in its memory."""
    _use_utc()
    worker = _worker(services)
    jobs = threading.Thread(target=worker.run, name="worker", daemon=True)
    jobs.start()
    threads = WorkerThreads(services, lambda: worker.lease)
    threads.start()

    def stop() -> None:
        worker.stop()
        threads.stop()
        jobs.join(STOP_SECONDS - PROJECTOR_STOP_SECONDS)

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
    _work_until_stopped(services)
    return 0


def _work_until_stopped(services: Services) -> None:
    """Work until the process receives SIGTERM or SIGINT."""
    worker = _worker(services)
    threads = WorkerThreads(services, lambda: worker.lease)

    def stop() -> None:
        worker.stop()
        threads.request_stop()
        time.sleep(STOP_SECONDS)
        os._exit(1)  # a job hangs

    call_on_signals((signal.SIGTERM, signal.SIGINT), stop)
    log.info("Worker started")
    threads.start()
    worker.run()
    threads.stop()
    services.close()
    log.info("Worker stopped")


def _use_utc() -> None:
    """Set the process's time zone to UTC: `schedule` uses local time, which jumps twice a year."""
    os.environ["TZ"] = "UTC"
    time.tzset()
