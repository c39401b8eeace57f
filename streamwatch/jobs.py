"""The table of jobs: what the leading worker does, and how often."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from streamwatch.bootstrap import Services
from streamwatch.services.errors import AlreadyRunning
from streamwatch.services.live_push import RESUMABLE
from streamwatch.services.refresh import REFRESH
from streamwatch.services.subscriptions import RECONCILE
from streamwatch.storage.base import Lease
from streamwatch.twitch.base import TwitchUnavailable

log = logging.getLogger(__name__)

DEFAULT_STREAMERS = "default-streamers"


@dataclass(frozen=True, slots=True)
class Job:
    """A thing that is done every `seconds`; with None, once after each start, tried every minute
    until it succeeds."""

    name: str
    seconds: int | None
    run: Callable[[Lease], object]


def table(services: Services) -> list[Job]:
    """All jobs, in the order in which they run at start."""
    settings = services.settings
    return [
        Job(DEFAULT_STREAMERS, None, lambda _: add_default_streamers(services)),
        Job(RECONCILE, settings.verify_seconds, lambda _: reconcile(services)),
        Job(REFRESH, settings.refresh_seconds, lambda lease: refresh(services, lease)),
        Job("details", 2, services.refresh.details),
        Job("names", 86_400, lambda _: services.streamers.refresh_names()),
        Job("trim-feed", 60, lambda _: services.storage.feed.trim(keep=RESUMABLE)),
    ]


def add_default_streamers(services: Services) -> None:
    """Monitor DEFAULT_STREAMERS. Raises TwitchError if Twitch could not be asked of some."""
    wanted = services.settings.default_streamers
    result = services.streamers.add_many(wanted)
    if result.not_found:
        log.warning("Twitch has no users %s of DEFAULT_STREAMERS", ", ".join(result.not_found))
    if result.failed:
        raise TwitchUnavailable(f"{len(result.failed)} default streamers could not be added yet.")
    count = len(services.streamers.all())
    log.info("Initializing status for %d monitored streamers…", count)


def reconcile(services: Services) -> None:
    """Make what Twitch has what is wanted, unless somebody is at it already."""
    try:
        result = services.subscriptions.reconcile()
    except AlreadyRunning:
        log.info("Subscriptions are being reconciled already")
    else:
        log.info("Reconciled subscriptions: %s", result)


def refresh(services: Services, lease: Lease) -> None:
    """Refresh the live data of everyone."""
    result = services.refresh.everyone(lease)
    log.info("Refreshed %d streamers, %d live", result.asked, result.live)
