"""Processes that are replaced while messages come: none is refused."""

import signal
import time
from pathlib import Path

from tests.e2e.conftest import SECRET
from tests.faults.proof import prove
from tests.faults.stack import Stack, children, set_webhook_secrets, stack
from tests.waiting import wait_for

PATIENCE = 10.0
"""Seconds that Twitch waits here: a machine that is busy refuses nothing by being slow."""

NEW_SECRET = "a-secret-that-takes-the-place-of-another"


def refused(stacked: Stack) -> list[int | None]:
    """The answers that let Twitch send a message again."""
    return [one.status for one in stacked.twitch.deliveries if not one.is_acknowledged]


def roll_web(stacked: Stack) -> None:
    """Return once all of gunicorn's processes are new."""
    old = set(stacked.web_workers)
    stacked.web.signal(signal.SIGHUP)
    wait_for(lambda: len(set(stacked.web_workers) - old) == len(old), 30)
    wait_for(lambda: not old & set(children(stacked.web.pid)), 30)


def roll_workers(stacked: Stack) -> None:
    """One after the other; the supervisor starts them again."""
    for number, worker in enumerate(stacked.workers):
        status, _ = worker.stop()
        assert status == 0
        wait_for(lambda number=number, old=worker: stacked.workers[number] is not old)  # type: ignore[misc]


def test_a_rolling_restart_refuses_nothing(tmp_path: Path) -> None:
    with stack(tmp_path, rate=20, streamers=40) as stacked:
        stacked.twitch.eventsub.courier.timeout = PATIENCE
        with stacked.load.running():
            for _ in range(2):
                roll_web(stacked)
                roll_workers(stacked)
        found = prove(stacked)
        assert (found.lost, found.doubled) == (0, 0)
        assert refused(stacked) == []


def test_a_webhook_secret_is_replaced_without_a_refusal(tmp_path: Path) -> None:
    with stack(tmp_path, rate=15, streamers=40) as stacked:
        stacked.twitch.eventsub.courier.timeout = PATIENCE

        def signed_with_the_new_one() -> bool:
            kept = stacked.twitch.subscriptions.all()
            return len(kept) == 80 and all(
                one.secret == NEW_SECRET and one.status == "enabled" for one in kept
            )

        with stacked.load.running():
            for secrets in (f"{NEW_SECRET},{SECRET}", NEW_SECRET):
                set_webhook_secrets(stacked.service, secrets)
                roll_web(stacked)
                roll_workers(stacked)
                wait_for(signed_with_the_new_one, 60)
                time.sleep(1)
        found = prove(stacked)
        assert (found.lost, found.doubled) == (0, 0)
        assert refused(stacked) == []
