import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from streamwatch.domain.times import utc_now
from streamwatch.services.ingestion.recorder import LeadershipLost
from streamwatch.storage.base import JobRun, Lease, StorageError
from streamwatch.storage.memory import MemoryStorage
from streamwatch.storage.memory.coordination import MemoryCoordination
from streamwatch.twitch.base import TwitchUnavailable
from streamwatch.worker.jobs import Job, RefusedJob
from streamwatch.worker.scheduler import Worker
from tests.clocks import ManualClock
from tests.waiting import wait_for


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage(events_kept=1000)


def working(storage: MemoryStorage, *jobs: Job) -> AbstractContextManager[Worker]:
    return running(Worker(storage.coordination, list(jobs), utc_now, "worker"))


@contextmanager
def running(worker: Worker) -> Iterator[Worker]:
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()


class Runs:
    """Counts the runs of a job; `problem`, where set, is raised by each."""

    def __init__(self, problem: Callable[[], Exception] | None = None) -> None:
        self.count = 0
        self.problem = problem

    def __call__(self, lease: Lease) -> None:
        assert lease.holder == "worker"
        self.count += 1
        if self.problem:
            raise self.problem()


def test_jobs_run_in_order_at_the_start_then_at_their_intervals(
    storage: MemoryStorage,
) -> None:
    order: list[str] = []
    jobs = [
        Job("first", None, lambda _: order.append("first")),
        Job("second", 1, lambda _: order.append("second")),
        Job("rare", 3600, lambda _: order.append("rare")),
    ]
    with working(storage, *jobs):
        wait_for(lambda: order.count("second") >= 3)
    assert order[:3] == ["first", "second", "rare"]
    assert set(order[3:]) == {"second"}
    assert set(storage.coordination.job_runs()) == {"first", "second", "rare"}


@pytest.mark.parametrize(
    ("problem", "logged"),
    [
        (lambda: TwitchUnavailable("Twitch is down."), "Twitch is down."),
        (lambda: RuntimeError("a secret detail"), "RuntimeError"),
    ],
)
def test_a_failing_job_runs_again_and_does_not_stop_the_next(
    problem: Callable[[], Exception],
    logged: str,
    storage: MemoryStorage,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing, well = Runs(problem), Runs()
    with working(storage, Job("failing", 1, failing), Job("well", 1, well)):
        wait_for(lambda: failing.count >= 2 and well.count >= 2)
    runs = storage.coordination.job_runs()
    assert runs["failing"].error == logged
    assert runs["well"].error is None
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings.count(f"Job failing failed: {logged}") == 1


def test_a_failed_job_with_a_long_interval_is_retried_soon(storage: MemoryStorage) -> None:
    failing = Runs(lambda: TwitchUnavailable("Twitch is down."))
    jobs = [Job("rare", 3600, failing)]
    with running(Worker(storage.coordination, jobs, utc_now, "worker", retry_seconds=1)):
        wait_for(lambda: failing.count >= 2)
        failing.problem = None
        wait_for(lambda: storage.coordination.job_runs()["rare"].error is None)


def test_a_job_that_twitch_refuses_runs_again_after_its_interval(storage: MemoryStorage) -> None:
    refused, often = Runs(lambda: RefusedJob("A subscription is missing.")), Runs()
    jobs = [Job("rare", 3600, refused), Job("often", 1, often)]
    with running(Worker(storage.coordination, jobs, utc_now, "worker", retry_seconds=1)):
        wait_for(lambda: often.count >= 4)
    assert refused.count == 1
    assert storage.coordination.job_runs()["rare"].error == "A subscription is missing."


def test_a_start_job_that_succeeded_does_not_run_again(storage: MemoryStorage) -> None:
    once, often = Runs(), Runs()
    with working(storage, Job("once", None, once), Job("often", 1, often)):
        wait_for(lambda: often.count >= 2)
    assert once.count == 1


def test_a_requested_job_runs_before_its_time(storage: MemoryStorage) -> None:
    job = Runs()
    with working(storage, Job("rare", 3600, job)):
        wait_for(lambda: job.count == 1)
        storage.coordination.request_job("rare")
        wait_for(lambda: job.count == 2)


def test_a_change_of_leader_does_not_repeat_or_skip_a_run(storage: MemoryStorage) -> None:
    rare, due = Runs(), Runs()
    storage.coordination.record_job(JobRun("rare", utc_now() + timedelta(seconds=1), 0))
    storage.coordination.record_job(JobRun("due", utc_now() - timedelta(seconds=3601), 0))
    with working(storage, Job("rare", 3600, rare), Job("due", 3600, due)):
        wait_for(lambda: due.count == 1)
    assert rare.count == 0


def test_a_new_leader_retries_a_failed_job_soon(storage: MemoryStorage) -> None:
    started_at = utc_now() + timedelta(seconds=1)
    storage.coordination.record_job(JobRun("rare", started_at, 0, "Twitch is down."))
    rare = Runs()
    jobs = [Job("rare", 3600, rare)]
    with running(Worker(storage.coordination, jobs, utc_now, "worker", retry_seconds=1)):
        wait_for(lambda: rare.count == 1)


def test_a_job_without_at_start_waits_for_its_interval(storage: MemoryStorage) -> None:
    rare, overdue, often = Runs(), Runs(), Runs()
    storage.coordination.record_job(JobRun("rare", utc_now() - timedelta(seconds=60), 0))
    storage.coordination.record_job(JobRun("overdue", utc_now() - timedelta(seconds=3601), 0))
    jobs = [Job("rare", 3600, rare, at_start=False), Job("overdue", 3600, overdue, at_start=False)]
    with working(storage, *jobs, Job("often", 1, often)):
        wait_for(lambda: often.count >= 2)
    assert (rare.count, overdue.count) == (0, 1)


def test_a_daily_job_runs_although_no_worker_runs_for_a_day(storage: MemoryStorage) -> None:
    clock, daily = ManualClock(), Runs()

    def work() -> None:
        """Run a worker until a job beside the daily one has run three times, in two seconds."""
        often = Runs()
        jobs = [Job("daily", 86_400, daily, at_start=False), Job("often", 1, often)]
        with running(Worker(storage.coordination, jobs, clock, "worker", retry_seconds=1)):
            wait_for(lambda: often.count >= 3)

    counts = []
    for _ in range(3):
        work()
        counts.append(daily.count)
        clock.advance(23 * 3600)
    assert counts == [1, 1, 2]  # soon after the first start, then when a day has passed


def test_jobs_continue_after_the_clock_was_set_back(storage: MemoryStorage) -> None:
    clock, job, often = ManualClock(), Runs(), Runs()
    jobs = [Job("rare", 3600, job), Job("often", 1, often)]
    with running(Worker(storage.coordination, jobs, clock, "worker")):
        wait_for(lambda: often.count >= 2)
        clock.advance(-7200)
        wait_for(lambda: job.count == 2)


def test_a_run_that_a_wrong_clock_dated_to_the_future_delays_nothing(
    storage: MemoryStorage,
) -> None:
    for name in ("rare", "overdue"):
        storage.coordination.record_job(JobRun(name, utc_now() + timedelta(hours=2), 0))
    rare, later = Runs(), Runs()
    jobs = [Job("rare", 3600, rare), Job("overdue", 1, later, at_start=False)]
    with working(storage, *jobs):
        wait_for(lambda: (rare.count, later.count) == (1, 1))


def test_a_run_under_a_lost_lease_is_not_recorded(storage: MemoryStorage) -> None:
    job = Runs(LeadershipLost)
    with working(storage, Job("job", 1, job)):
        wait_for(lambda: job.count >= 1)
    assert storage.coordination.job_runs() == {}


def test_stopping_finishes_the_running_job(storage: MemoryStorage) -> None:
    started, finish, finished = threading.Event(), threading.Event(), threading.Event()

    def run(_: Lease) -> None:
        started.set()
        assert finish.wait(10)
        finished.set()

    with working(storage, Job("long", 3600, run)) as worker:
        assert started.wait(10)
        worker.stop()
        finish.set()
    assert finished.is_set()


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_requested_job_that_this_worker_cannot_run_is_left_to_the_next_leader(
    storage: MemoryStorage, *, is_stopped: bool
) -> None:
    requested = Runs()
    storage.coordination.record_job(JobRun("requested", utc_now() + timedelta(seconds=60), 0))
    coordination = storage.coordination

    def lose_the_lead(lease: Lease) -> None:
        """While this job runs, the other one waits for its turn."""
        if is_stopped:
            worker.stop()
        else:
            coordination.release_lease(lease)
            assert coordination.acquire_lease(lease.name, "another worker", 60)
            wait_for(lambda: worker.lease is None)

    coordination.request_job("requested")
    jobs = [Job("running", 3600, lose_the_lead), Job("requested", 3600, requested)]
    worker = Worker(coordination, jobs, utc_now, "worker")
    with running(worker):
        wait_for(lambda: "running" in coordination.job_runs())
    assert requested.count == 0
    assert coordination.job_requests().keys() == {"requested"}


def test_a_job_stays_requested_until_its_run_has_ended(storage: MemoryStorage) -> None:
    """If the process is killed while the job runs, the next leader runs it."""
    started, finish = threading.Event(), threading.Event()

    def run(_: Lease) -> None:
        started.set()
        assert finish.wait(10)

    coordination = storage.coordination
    coordination.request_job("long")
    with working(storage, Job("long", 3600, run)):
        assert started.wait(10)
        assert coordination.job_requests().keys() == {"long"}
        finish.set()
        wait_for(lambda: not coordination.job_requests())


def test_a_job_that_is_requested_while_it_runs_runs_again(storage: MemoryStorage) -> None:
    coordination = storage.coordination
    count = 0

    def run(_: Lease) -> None:
        nonlocal count
        count += 1
        if count == 1:
            coordination.request_job("long")

    coordination.request_job("long")
    with working(storage, Job("long", 3600, run)):
        wait_for(lambda: count == 2 and not coordination.job_requests())


class FailingCoordination(MemoryCoordination):
    """Raises an error of the storage at the first calls of three methods."""

    def __init__(self) -> None:
        super().__init__(threading.RLock(), time.monotonic)
        self.failures = {"job_runs", "record_job", "complete_job_request"}

    def job_runs(self) -> dict[str, JobRun]:
        self._fail_once("job_runs")
        return super().job_runs()

    def record_job(self, run: JobRun) -> None:
        self._fail_once("record_job")
        super().record_job(run)

    def complete_job_request(self, name: str, request_id: str) -> None:
        self._fail_once("complete_job_request")
        super().complete_job_request(name, request_id)

    def _fail_once(self, method: str) -> None:
        if method in self.failures:
            self.failures.remove(method)
            raise StorageError("A stored value cannot be read.")


def test_an_error_of_the_storage_does_not_end_the_worker() -> None:
    coordination = FailingCoordination()
    coordination.request_job("job")
    job = Runs()
    with running(Worker(coordination, [Job("job", 1, job)], utc_now, "worker")):
        wait_for(lambda: not coordination.job_requests() and "job" in coordination.job_runs())
    assert coordination.failures == set()
