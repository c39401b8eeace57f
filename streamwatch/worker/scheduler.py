"""The scheduler loop of a worker: runs the jobs while this worker leads.

Any number may run. One leads and does the jobs; all of them take part in reading the feed. A
process that is killed loses nothing: jobs run again, feed entries are handed out again.
"""

import logging
import logging.config
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from schedule import CancelJob, Scheduler

from streamwatch.logs import log_context
from streamwatch.services.ingestion.recorder import LeadershipLost
from streamwatch.services.monitoring.counters import JOBS, named
from streamwatch.services.monitoring.metrics import job_counts
from streamwatch.storage.base import Coordination, JobRun, Lease, StorageUnavailable
from streamwatch.twitch.base import TwitchError
from streamwatch.worker.jobs import Job
from streamwatch.worker.leader import Leadership

log = logging.getLogger("streamwatch.worker.scheduler")  # also where this is __main__

_LOOK_SECONDS = 0.5
"""How often the loop looks for jobs that are due, and for a request to stop."""

_RETRY_SECONDS = 60
"""When a job is tried again after a failure, at the latest."""

STOP_SECONDS = 9
"""How long a stopping worker may take to finish what is in flight: a process has 10 seconds."""


class Worker:
    """Runs the jobs while it leads, until it is stopped."""

    def __init__(
        self,
        coordination: Coordination,
        jobs: list[Job],
        clock: Callable[[], datetime],
        holder: str,
        retry_seconds: int = _RETRY_SECONDS,
    ) -> None:
        self._coordination = coordination
        self._jobs = jobs
        self._clock = clock
        self._leadership = Leadership(self._coordination, clock, holder)
        self._retry_seconds = retry_seconds
        self._started_at = clock()
        self._scheduler = Scheduler()
        self._scheduled_under: Lease | None = None
        self._errors: dict[str, str] = {}
        self._just_failed: set[str] = set()
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until `stop` is called from another thread or a signal handler."""
        self._leadership.start()
        while not self._stop.wait(_LOOK_SECONDS):
            lease = self._leadership.lease
            if lease is None:
                continue
            try:
                if lease != self._scheduled_under:
                    self._schedule(lease)
                self._run_requested()
            except StorageUnavailable as error:
                log.warning("The storage does not answer: %s", error)
                continue
            self._scheduler.run_pending()
            self._retry_soon()
        self._leadership.stop()

    def stop(self) -> None:
        """Ask `run` to end after the job in flight."""
        self._stop.set()

    def _schedule(self, lease: Lease) -> None:
        """Plan all jobs under this lease."""
        runs = self._coordination.job_runs()
        self._scheduler.clear()
        for job in self._jobs:
            self._plan(job, lease, runs.get(job.name))
        self._scheduled_under = lease

    def _plan(self, job: Job, lease: Lease, last: JobRun | None) -> None:
        """Make a job due: at once, if it belongs to a start and has not run since this process
        started; else when its interval since the last run is over, whoever ran it. So a takeover
        neither repeats nor skips."""
        ran = last is not None and last.started_at >= self._started_at
        if job.seconds is None and ran and last and not last.error:
            return
        seconds = job.seconds or self._retry_seconds
        planned = self._scheduler.every(seconds).seconds.do(self._perform, job, lease)
        due = self._clock()
        if ran or not job.at_start:
            due = (last.started_at if last else due) + timedelta(seconds=seconds)
        planned.next_run = due.astimezone().replace(tzinfo=None)  # schedule's own form

    def _run_requested(self) -> None:
        """Let jobs that were asked for be due now."""
        requested = self._coordination.take_requested_jobs()
        for planned in self._scheduler.get_jobs():
            if planned.job_func and planned.job_func.args[0].name in requested:
                planned.next_run = datetime.now()  # noqa: DTZ005  schedule's own form

    def _retry_soon(self) -> None:
        """Let jobs that have just failed be due after a minute, should their interval be longer."""
        soon = datetime.now() + timedelta(seconds=self._retry_seconds)  # noqa: DTZ005  schedule's form
        for planned in self._scheduler.get_jobs():
            if planned.job_func and planned.job_func.args[0].name in self._just_failed:
                planned.next_run = min(planned.next_run or soon, soon)
        self._just_failed.clear()

    def _perform(self, job: Job, lease: Lease) -> type[CancelJob] | None:
        """Run a job, time it, and remember how it went. An exception ends here, so that neither the
        loop nor the next job suffers."""
        if self._stop.is_set() or self._leadership.lease != lease:
            return None
        token = log_context.set({"job": job.name})
        started_at, start, error = self._clock(), time.monotonic(), None
        try:
            job.run(lease)
        except LeadershipLost:
            log.warning("Another worker has taken over; job %s left to it", job.name)
            return None
        except (TwitchError, StorageUnavailable) as problem:
            error = str(problem)
        except Exception as problem:
            error = type(problem).__name__
            log.exception("Job %s failed", job.name)
        finally:
            log_context.reset(token)
        self._record(JobRun(job.name, started_at, time.monotonic() - start, error))
        return CancelJob if job.seconds is None and error is None else None

    def _record(self, run: JobRun) -> None:
        """Say what went wrong once, not every two seconds, and keep the run for everyone to see."""
        known = self._errors.get(run.name)
        if run.error and run.error != known:
            log.warning("Job %s failed: %s", run.name, run.error)
        if known and not run.error:
            log.info("Job %s is well again", run.name)
        self._errors[run.name] = run.error or ""
        if run.error:
            self._just_failed.add(run.name)
        try:
            self._coordination.record_job(run)
            self._coordination.add_counts(named(JOBS, job_counts(run)))
        except StorageUnavailable as error:
            log.warning("The run of job %s could not be recorded: %s", run.name, error)
