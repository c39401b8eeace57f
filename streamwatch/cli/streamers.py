"""`streamwatch streamers`: who is monitored."""

import click

from streamwatch.cli.arguments import Login
from streamwatch.cli.services import shared
from streamwatch.domain.times import format_time


@click.group()
def streamers() -> None:
    """Who is monitored."""


@streamers.command("list")
def list_streamers() -> None:
    """List all, the newest first.

    A line each: the login, `active` or, while a subscription is missing, `polled`, and since when.
    """
    with shared() as services:
        known = services.streamers.all()
    for streamer in known:
        standing = "active" if streamer.is_active else "polled"
        click.echo(f"{streamer.login:25}  {standing}  {format_time(streamer.added_at)}")
    click.echo(f"{len(known)} monitored", err=True)


@streamers.command()
@click.argument("logins", nargs=-1, required=True, type=Login())
def add(logins: tuple[str, ...]) -> None:
    """Monitor these.

    The worker subscribes, and looks who is live, within seconds.
    """
    with shared() as services:
        result = services.streamers.add_many(logins)
    _say("Added", result.added)
    _say("Monitored already", result.existing)
    _say("No such Twitch user", result.not_found)
    _say("Not added, because Twitch did not answer", result.failed)
    if result.not_found or result.failed:
        raise click.exceptions.Exit(1)


@streamers.command()
@click.argument("login", type=Login())
def remove(login: str) -> None:
    """Stop monitoring; the history stays."""
    with shared() as services:
        services.streamers.remove(login)
    click.echo(f"Removed: {login}")


def _say(what: str, logins: list[str]) -> None:
    if logins:
        click.echo(f"{what}: {', '.join(logins)}")
