"""`streamwatch backfill`: read past streams from archived videos."""

import time
from collections import Counter
from collections.abc import Sequence

import click

from streamwatch.bootstrap import Services
from streamwatch.cli.arguments import Login, require_logins_or_all
from streamwatch.cli.services import progress, require_stored_analytics, shared
from streamwatch.domain.progress import Progress
from streamwatch.storage.backfills import Backfill, BackfillStatus

_POLL_SECONDS = 0.3

_WAITING = {BackfillStatus.QUEUED, BackfillStatus.RUNNING}


@click.command()
@click.argument("logins", nargs=-1, type=Login())
@click.option("--all", "everyone", is_flag=True, help="All monitored streamers.")
def backfill(logins: tuple[str, ...], everyone: bool) -> None:
    """Read past streams from Twitch's archived videos.

    The worker reads about three streamers a second; without a running worker, this command does.
    Streams that were observed do not change, but get the address of their video. Exit code 1 means
    that some streamers' videos could not be read.
    """
    require_logins_or_all(logins, everyone)
    with shared() as services, progress("Reading videos") as report:
        _check_settings(services)
        if everyone:
            names = {each.user_id: each.login for each in services.streamers.all()}
            services.backfills.queue(names)
        else:
            names = {services.backfills.request(login): login for login in logins}
        done = _wait(services, list(names), report)
    _print(done)
    for user_id, each in done.items():
        if each.status is BackfillStatus.FAILED:
            click.echo(f"{names[user_id]}: {each.error}", err=True)
    if any(each.status is BackfillStatus.FAILED for each in done.values()):
        raise click.exceptions.Exit(1)


def _check_settings(services: Services) -> None:
    has_worker = services.storage.coordination.is_worker_alive()
    if has_worker:
        return
    require_stored_analytics(services, "no worker runs; start it")
    if not services.settings.has_twitch_credentials:
        raise click.ClickException("Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET.")


def _wait(services: Services, user_ids: Sequence[str], report: Progress) -> dict[str, Backfill]:
    """The backfills of these users once all are finished. While they are tried again, says why."""
    shown: set[str] = set()
    while True:
        found = services.backfills.of(user_ids)
        waiting = [each for each in found.values() if each.status in _WAITING]
        report(len(user_ids) - len(waiting), max(len(user_ids), 1))
        if not waiting:
            return found
        for error in {each.error for each in waiting if each.error} - shown:
            click.echo(f"Trying again: {error}", err=True)
            shown.add(error)
        pause = _POLL_SECONDS
        if not services.storage.coordination.is_worker_alive():
            pause = services.backfills.run_next()
        time.sleep(pause)


def _print(done: dict[str, Backfill]) -> None:
    found, added, known = (
        sum(getattr(each, name) for each in done.values()) for name in ("found", "added", "known")
    )
    skipped: Counter[str] = Counter()
    for each in done.values():
        skipped.update(each.skipped)
    click.echo(f"{len(done)} streamers: {found} videos, {added} sessions added, {known} known")
    for reason, count in sorted(skipped.items()):
        click.echo(f"{count} skipped: {reason}")
