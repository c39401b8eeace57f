"""The jobs of the leading worker, and their intervals."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from streamwatch.bootstrap import Services
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.ingestion.poller import REFRESH
from streamwatch.services.monitoring.published_metrics import publish_rate_limit
from streamwatch.services.push.broadcaster import RESUMABLE
from streamwatch.services.subscriptions.reconcile import RECONCILE
from streamwatch.services.subscriptions.result import Outcome
from streamwatch.storage.base import Lease
from streamwatch.twitch.base import TwitchError, TwitchUnavailable

log = logging.getLogger(__name__)

DEFAULT_STREAMERS = "default-streamers"

_NAMES_CURRENT = timedelta(hours=12)
"""For how long the names that a streamer was added with count as current."""


class RefusedJob(TwitchError):
    """Twitch refused what a job needs, and would do so again: no retry before the next run."""


@dataclass(frozen=True, slots=True)
class Job:
    """A function that runs every `seconds` and, with `at_start`, when a process starts.

    Without `seconds` it runs once after each start, and every minute until it succeeds. Without
    `at_start` its very first run is at most a minute after a worker takes the lead.
    """

    name: str
    seconds: int | None
    run: Callable[[Lease], object]
    at_start: bool = True


def build_jobs(services: Services) -> list[Job]:
    """All jobs, in the order in which they run at the start."""
    settings = services.settings
    return [
        Job("missed-streams", None, lambda _: services.backfills.queue_missed()),
        Job(DEFAULT_STREAMERS, None, lambda _: add_default_streamers(services)),
        Job(RECONCILE, settings.verify_seconds, lambda _: reconcile(services)),
        Job(REFRESH, settings.refresh_seconds, lambda lease: refresh(services, lease)),
        Job("details", 2, services.poller.fetch_details),
        Job("names", 86_400, lambda _: update_names(services), at_start=False),
        Job("budget", 15, lambda _: publish_rate_limit_job(services)),
        Job("trim-feed", 15, lambda _: services.storage.feed.trim(keep=RESUMABLE)),
    ]


def add_default_streamers(services: Services) -> None:
    """Monitor DEFAULT_STREAMERS. Raises TwitchError if some could not be looked up.

    At the start the jobs that subscribe and refresh follow anyway. After a failure they have
    already run, so they are requested.
    """
    coordination = services.storage.coordination
    last = coordination.job_runs().get(DEFAULT_STREAMERS)
    add = (
        services.streamers.add_many if last and last.error else services.streamers.add_without_jobs
    )
    result = add(services.settings.default_streamers)
    if result.not_found:
        log.warning("Twitch has no users %s of DEFAULT_STREAMERS", ", ".join(result.not_found))
    if result.failed:
        raise TwitchUnavailable(f"{len(result.failed)} default streamers could not be added yet.")
    count = len(services.streamers.all())
    log.info("Initializing status for %d monitored streamers…", count)


def update_names(services: Services) -> None:
    """Update the names and pictures of all streamers, except those just added."""
    services.streamers.update_names(_NAMES_CURRENT)


def publish_rate_limit_job(services: Services) -> None:
    """Publish the remaining rate limit of Helix for the metrics."""
    publish_rate_limit(services.storage.coordination, services.twitch.rate_limit())


def reconcile(services: Services) -> None:
    """Reconcile the subscriptions; if a reconciliation is running, request another one after it.

    Raises TwitchError if a subscription is missing for which Twitch has room; RefusedJob if Twitch
    refused all that are missing, for instance for a closed account.
    """
    try:
        result = services.subscriptions.reconcile()
    except AlreadyRunning:
        # The running turn may have read its listing before this was requested: run after it.
        services.storage.coordination.request_job(RECONCILE)
        return
    if result.status is Outcome.INCOMPLETE:
        error = RefusedJob if result.refused == result.failed else TwitchUnavailable
        raise error(f"{result.failed} subscriptions are not as they should be.")


def refresh(services: Services, lease: Lease) -> None:
    """Refresh the live data of all streamers."""
    result = services.poller.poll_all(lease)
    log.info("Refreshed %d streamers, %d live", result.asked, result.live)
