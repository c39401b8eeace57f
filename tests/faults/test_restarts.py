"""Rolling restarts while messages arrive: no message is refused."""

import signal
from pathlib import Path

from tests.child_processes import children
from tests.e2e.conftest import SECRET
from tests.faults.checks import check_promises
from tests.faults.stack import Stack, set_webhook_secrets, stack
from tests.waiting import wait_for

TWITCH_TIMEOUT = 10.0
"""Seconds that the simulated Twitch waits for an answer: a busy machine may be slow."""

NEW_SECRET = "a-secret-that-takes-the-place-of-another"


def refused(stacked: Stack) -> list[int | None]:
    """Statuses of the answers that make Twitch send a message again."""
    return [
        delivery.status for delivery in stacked.twitch.deliveries if not delivery.is_acknowledged
    ]


def roll_web(stacked: Stack) -> None:
    """Reload gunicorn, and wait until all of its processes are new."""
    old = set(stacked.web_workers)
    stacked.web.signal(signal.SIGHUP)
    wait_for(lambda: len(set(stacked.web_workers) - old) == len(old), 30)
    wait_for(lambda: not old & set(children(stacked.web.pid)), 30)


def roll_workers(stacked: Stack) -> None:
    """Stop the workers one by one; the supervisor restarts them."""
    for number, worker in enumerate(stacked.workers):
        wait_for(lambda worker=worker: "Worker started" in worker.log)  # type: ignore[misc]
        status, _ = worker.stop()
        assert status == 0
        wait_for(lambda number=number, old=worker: stacked.workers[number] is not old)  # type: ignore[misc]


def test_rolling_restarts_that_replace_the_webhook_secret_refuse_no_message(tmp_path: Path) -> None:
    with stack(tmp_path, rate=15, streamers=40) as stacked:
        stacked.twitch.eventsub.webhook_sender.timeout = TWITCH_TIMEOUT

        def all_use_the_new_secret() -> bool:
            subscriptions = stacked.twitch.subscriptions.all()
            return len(subscriptions) == 80 and all(
                subscription.secret == NEW_SECRET and subscription.status == "enabled"
                for subscription in subscriptions
            )

        with stacked.load.running():
            for secrets in (f"{NEW_SECRET},{SECRET}", NEW_SECRET):
                set_webhook_secrets(stacked.service, secrets)
                roll_web(stacked)
                roll_workers(stacked)
                wait_for(all_use_the_new_secret, 60)
                happened = len(stacked.load.happened)
                wait_for(lambda start=happened: len(stacked.load.happened) >= start + 15)  # type: ignore[misc]
        result = check_promises(stacked)
        assert (result.lost, result.doubled) == ({}, [])
        assert refused(stacked) == []
