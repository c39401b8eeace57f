"""`streamwatch streamers`: list, add, tag and remove monitored streamers."""

import sys
from collections.abc import Sequence

import click

from streamwatch.cli.arguments import Login, Tag
from streamwatch.cli.services import progress, shared
from streamwatch.domain.logins import NOT_A_LOGIN, LoginLines, login_from, logins_of_lines
from streamwatch.domain.times import format_time
from streamwatch.services.streamers import BulkAdded


@click.group()
def streamers() -> None:
    """List, add, tag and remove monitored streamers."""


@streamers.command("list")
@click.option("--tag", type=Tag(), help="Only the streamers with this tag.")
def list_streamers(tag: str | None) -> None:
    """List the monitored streamers, newest first.

    A line has the login, `active` or, while a subscription is missing, `polled`, since when the
    streamer is monitored, and the tags.
    """
    with shared() as services:
        known = services.streamers.all(tag)
    for streamer in known:
        state = "active" if streamer.is_active else "polled"
        line = f"{streamer.login:25}  {state}  {format_time(streamer.added_at)}"
        click.echo("  ".join([line, *streamer.tags]))
    click.echo(f"{len(known)} monitored", err=True)


@streamers.command()
@click.argument("logins", nargs=-1, required=True)
def add(logins: tuple[str, ...]) -> None:
    """Monitor streamers, by login, @login or address of the channel.

    `-` reads them from standard input, separated by spaces, commas or line ends. Lines that cannot
    be used are reported and left out. The worker subscribes to the events of the streamers, and
    checks who is live, within seconds.
    """
    wanted = _logins_from(logins)
    for fault in wanted.faults:
        click.echo(fault, err=True)
    if not wanted.logins:
        raise click.UsageError("There are no logins on standard input.")
    with shared() as services, progress("Adding") as report:
        result = services.streamers.add_many(wanted.logins, progress=report)
    report_added(result)
    if wanted.faults or result.not_found or result.failed:
        raise click.exceptions.Exit(1)


@streamers.command("tag")
@click.argument("login", type=Login())
@click.argument("tags", nargs=-1, type=Tag())
@click.option("--clear", is_flag=True, help="Remove all tags.")
def set_tags(login: str, tags: tuple[str, ...], *, clear: bool) -> None:
    """Replace the tags of a streamer with TAGS."""
    if clear == bool(tags):
        raise click.UsageError("Name the tags, or use --clear to remove all.")
    with shared() as services:
        streamer = services.streamers.set_tags(login, tags)
    click.echo(f"Tags of {streamer.login}: {', '.join(streamer.tags) or 'none'}")


@streamers.command()
@click.argument("login", type=Login())
def remove(login: str) -> None:
    """Stop monitoring a streamer. The history is retained."""
    with shared() as services:
        services.streamers.remove(login)
    click.echo(f"Removed: {login}")


def report_added(result: BulkAdded) -> None:
    """Print the logins by result."""
    for label, logins in (
        ("Added", result.added),
        ("Monitored already", result.existing),
        ("No such Twitch user", result.not_found),
        (
            "Not added, as Twitch gave no usable answer or another streamer has the login",
            result.failed,
        ),
    ):
        if logins:
            click.echo(f"{label}: {', '.join(logins)}")


def _logins_from(arguments: Sequence[str]) -> LoginLines:
    """The logins of the arguments and, for `-`, of standard input with its faults."""
    logins: dict[str, None] = {}
    faults: list[str] = []
    for argument in arguments:
        if argument == "-":
            lines = logins_of_lines(sys.stdin)
            logins |= dict.fromkeys(lines.logins)
            faults += lines.faults
        elif login := login_from(argument):
            logins[login] = None
        else:
            raise click.BadParameter(f"{argument!r}: {NOT_A_LOGIN}")
    return LoginLines(list(logins), faults)
