"""`streamwatch feed`: entries that a reader could not process."""

import click

from streamwatch.cli.services import progress, shared
from streamwatch.domain.times import format_time


@click.group()
def feed() -> None:
    """What was committed and could not be processed."""


@feed.command("set-aside")
def set_aside() -> None:
    """List the entries that were set aside.

    A line each: the reader, the entry's id, when, and what was wrong.
    """
    with shared() as services:
        entries = services.dead_letters.all()
    for entry in entries:
        click.echo(f"{entry.reader}  {entry.id}  {format_time(entry.at)}  {entry.error}")
    click.echo(f"{len(entries)} set aside", err=True)


@feed.command()
def replay() -> None:
    """Let the analytics process what was set aside for them.

    Do so once what was wrong is mended. What succeeds is no longer set aside; with exit code 1
    something still is.
    """
    with shared() as services, progress("Processing") as tell:
        if services.settings.analytics_type == "memory":
            raise click.ClickException("ANALYTICS_TYPE=memory is seen by the worker alone.")
        result = services.dead_letters.replay(tell)
    click.echo(f"{result.done} processed, {len(result.failed)} still set aside")
    for entry, error in result.failed:
        click.echo(f"{entry.id}  {error}", err=True)
    if result.failed:
        raise click.exceptions.Exit(1)
