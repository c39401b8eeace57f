"""The worker's loop: runs the jobs while this worker leads.

Any number of workers may run. One leads and runs the jobs; all of them read the feed. A worker that
is killed loses nothing: jobs run again, and feed entries are delivered again.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from schedule import CancelJob, Scheduler

from streamwatch.logs import log_context
from streamwatch.services.ingestion.recorder import LeadershipLost
from streamwatch.services.monitoring.counters import JOBS, with_kind
from streamwatch.services.monitoring.metrics import job_counts
from streamwatch.storage.base import Coordination, JobRun, Lease, StorageError, StorageUnavailable
from streamwatch.twitch.base import TwitchError
from streamwatch.worker.jobs import Job, RefusedJob
from streamwatch.worker.leader import Leadership

log = logging.getLogger(__name__)

_LOOP_SECONDS = 0.5
"""How often the loop checks for due jobs, for requested jobs, and for a request to stop."""

_RETRY_SECONDS = 60
"""The longest wait before a failed job is tried again, and before the first run of a job that
never ran."""

_CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far the clocks of workers may be apart, and a clock may be set back, without consequences."""

STOP_SECONDS = 9
"""How long a stopping worker may take to finish its job: a process has 10 seconds."""


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
        self._started_at = self._seen_at = clock()
        self._scheduler = Scheduler()
        self._scheduled_under: Lease | None = None
        self._due_at_once: set[str] = set()
        self._errors: dict[str, str] = {}
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until `stop` is called from another thread."""
        self._leadership.start()
        while not self._stop.wait(_LOOP_SECONDS):
            lease = self._leadership.lease
            if lease is None:
                continue
            if self._clock_was_set_back():
                self._scheduled_under = None
            try:
                if lease != self._scheduled_under:
                    self._schedule_all(lease)
                requests = self._coordination.job_requests()
            except StorageError as error:
                log.warning("The jobs cannot run: %s", error)
                continue
            self._run_at_once(lease, requests)
            self._scheduler.run_pending()
        self._leadership.stop()

    @property
    def lease(self) -> Lease | None:
        """The lease while this worker leads."""
        return self._leadership.lease

    def stop(self) -> None:
        """Ask `run` to end after the job that is running."""
        self._stop.set()
        self._leadership.request_stop()

    def _clock_was_set_back(self) -> bool:
        """Whether the clock was set back since the last call. `schedule` plans by the clock, so
        that all jobs would be late by as much."""
        before, self._seen_at = self._seen_at, self._clock()
        return self._seen_at < before - _CLOCK_TOLERANCE

    def _schedule_all(self, lease: Lease) -> None:
        """Schedule all jobs under this lease."""
        runs = self._coordination.job_runs()
        self._scheduler.clear()
        self._due_at_once.clear()
        for job in self._jobs:
            delay = self._first_delay(job, runs.get(job.name))
            if delay is not None and delay <= 0:
                self._due_at_once.add(job.name)
            elif delay is not None:
                self._schedule_run(job, lease, delay)
        self._scheduled_under = lease

    def _first_delay(self, job: Job, last: JobRun | None) -> float | None:
        """Seconds until a job's first run under a new lease; None for never.

        A job of the start runs at once if no worker has run it since this process started.
        Otherwise the interval counts from the last run, whichever worker ran it, so that a change
        of leaders neither repeats nor skips a run. A failed job is tried again soon, and a job that
        never ran runs as early: where no worker leads for a whole interval, it would never run. A
        run of the future was dated by a wrong clock, and does not count.
        """
        now = self._clock()
        if last is not None and last.started_at > now + _CLOCK_TOLERANCE:
            last = None
        has_run = last is not None and last.started_at >= self._started_at
        if job.at_start and not has_run:
            return 0
        seconds = self._interval(job, soon=last is None or last.error is not None)
        elapsed = (now - last.started_at).total_seconds() if last else 0
        return None if seconds is None else seconds - elapsed

    def _interval(self, job: Job, *, soon: bool) -> int | None:
        """Seconds until the next run, at most the seconds of a retry if it is to be `soon`; None if
        there is none."""
        if not soon:
            return job.seconds
        return min(job.seconds or self._retry_seconds, self._retry_seconds)

    def _schedule_run(self, job: Job, lease: Lease, delay: float) -> None:
        """Schedule one run of a job after `delay` seconds. The run schedules the next one."""
        seconds = max(1, math.ceil(delay))
        self._scheduler.every(seconds).seconds.do(self._run_scheduled, job, lease).tag(job.name)

    def _run_scheduled(self, job: Job, lease: Lease) -> type[CancelJob]:
        self._run_and_reschedule(job, lease)
        return CancelJob

    def _run_at_once(self, lease: Lease, requests: Mapping[str, str]) -> None:
        """Run the jobs of the start, and those that were requested before their time. A request is
        completed after the run: if this process is killed in between, the next leader runs it."""
        names, self._due_at_once = self._due_at_once | requests.keys(), set()
        for job in self._jobs:
            if job.name in names:
                self._scheduler.clear(job.name)
                if self._run_and_reschedule(job, lease) and job.name in requests:
                    self._complete_request(job.name, requests[job.name])

    def _complete_request(self, name: str, request_id: str) -> None:
        try:
            self._coordination.complete_job_request(name, request_id)
        except StorageError as error:
            log.warning("Job %s has run, but stays requested: %s", name, error)

    def _run_and_reschedule(self, job: Job, lease: Lease) -> bool:
        """Run a job and schedule its next run. Returns whether it has run to its end."""
        if self._stop.is_set():
            return False
        if self._leadership.lease != lease:  # it may have been renewed late: look again
            self._schedule_run(job, lease, _LOOP_SECONDS)
            return False
        try:
            retries = self._run_and_record(job, lease)
        except LeadershipLost:
            log.warning("Job %s was stopped: another worker leads now", job.name)
            self._schedule_run(job, lease, _LOOP_SECONDS)
            return False
        delay = self._interval(job, soon=retries)
        if delay is not None:
            self._schedule_run(job, lease, delay)
        return True

    def _run_and_record(self, job: Job, lease: Lease) -> bool:
        """Run a job and record the result. Returns whether to retry it soon. Its exceptions end
        here, so that they stop neither the loop nor the next job, except LeadershipLost."""
        token = log_context.set({"job": job.name})
        started_at, start, error, retries = self._clock(), time.monotonic(), None, True
        try:
            job.run(lease)
        except LeadershipLost:
            raise
        except RefusedJob as problem:
            error, retries = str(problem), False
        except (TwitchError, StorageUnavailable) as problem:
            error = str(problem)
        except Exception as problem:
            error = type(problem).__name__
            log.exception("Job %s failed", job.name)
        finally:
            log_context.reset(token)
        self._record(JobRun(job.name, started_at, time.monotonic() - start, error))
        return retries and error is not None

    def _record(self, run: JobRun) -> None:
        """Store the run, and log an error when it is new and when it is over."""
        known = self._errors.get(run.name)
        if run.error and run.error != known:
            log.warning("Job %s failed: %s", run.name, run.error)
        if known and not run.error:
            log.info("Job %s succeeds again", run.name)
        self._errors[run.name] = run.error or ""
        try:
            self._coordination.record_job(run)
            self._coordination.add_counts(with_kind(JOBS, job_counts(run)))
        except StorageError as error:
            log.warning("The run of job %s could not be recorded: %s", run.name, error)
