"""`streamwatch feed`: the dead letters, feed entries that a reader could not process."""

import click

from streamwatch.cli.services import progress, require_stored_analytics, shared
from streamwatch.domain.times import format_time


@click.group()
def feed() -> None:
    """Dead letters: entries of the feed that a reader could not process.

    Dead letters of the reader `analytics` are missing from the statistics; for those of
    `notifications` no notification was sent. Fix the cause, then `replay` those of the analytics
    and `drop` the others.
    """


@feed.command("set-aside")
def set_aside() -> None:
    """List the entries that were set aside as dead letters.

    A line has the reader, the entry's id, the time and the error.
    """
    with shared() as services:
        entries = services.dead_letters.all()
    for entry in entries:
        click.echo(f"{entry.reader}  {entry.id}  {format_time(entry.at)}  {entry.error}")
    click.echo(f"{len(entries)} set aside", err=True)


@feed.command()
@click.argument("reader")
@click.argument("entry_id")
def drop(reader: str, entry_id: str) -> None:
    """Delete the dead letter ENTRY_ID of READER, as `set-aside` names them.

    The entry cannot be processed afterwards.
    """
    with shared() as services:
        if not services.dead_letters.drop(reader, entry_id):
            raise click.ClickException(f"The reader {reader} has no dead letter {entry_id}.")
    click.echo(f"Deleted the dead letter {entry_id} of {reader}.")


@feed.command()
def replay() -> None:
    """Process the dead letters of the analytics again.

    Fix their cause first. Entries that succeed are no longer set aside. Exit code 1 means that some
    have failed again.
    """
    with shared() as services, progress("Processing") as report:
        require_stored_analytics(services, "restart the worker instead")
        result = services.dead_letters.replay(report)
    click.echo(f"{result.done} processed, {len(result.failed)} still set aside")
    for entry, error in result.failed:
        click.echo(f"{entry.id}  {error}", err=True)
    if result.failed:
        raise click.exceptions.Exit(1)
