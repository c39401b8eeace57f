"""`streamwatch streamers`: list, add, tag and remove monitored streamers."""

import sys
from collections.abc import Iterator, Sequence

import click

from streamwatch.cli.arguments import Login, Tag
from streamwatch.cli.services import shared
from streamwatch.domain.logins import login_from
from streamwatch.domain.times import format_time


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

    `-` reads them from standard input, separated by spaces, commas or line ends. The worker
    subscribes to their events, and looks who is live, within seconds.
    """
    wanted = list(dict.fromkeys(_read(logins)))
    if not wanted:
        raise click.UsageError("There are no logins on standard input.")
    with shared() as services:
        result = services.streamers.add_many(wanted)
    _report("Added", result.added)
    _report("Monitored already", result.existing)
    _report("No such Twitch user", result.not_found)
    _report("Not added, because Twitch did not answer", result.failed)
    if result.not_found or result.failed:
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


def _read(arguments: tuple[str, ...]) -> Iterator[str]:
    """The logins of the arguments and, for `-`, of standard input."""
    for argument in arguments:
        texts = [argument]
        if argument == "-":
            texts = sys.stdin.read().replace(",", " ").split()
        for text in texts:
            login = login_from(text)
            if login is None:
                raise click.BadParameter(f"{text!r} is not a login: 1 to 25 letters, digits or _.")
            yield login


def _report(label: str, logins: Sequence[str]) -> None:
    if logins:
        click.echo(f"{label}: {', '.join(logins)}")
