"""The command line: what an operator does from a shell, on the same services as the web."""

import click

from streamwatch import __version__
from streamwatch.cli.doctor import doctor
from streamwatch.cli.feed import feed
from streamwatch.cli.processes import dev, serve, worker
from streamwatch.cli.recalculate import recalculate
from streamwatch.cli.services import Commands, opened
from streamwatch.cli.streamers import streamers
from streamwatch.cli.subscriptions import subscriptions


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Watches Twitch streamers: who is live, what happened, how their streams do.

    Settings are those of the service: the environment, or the file .env here. Exit codes: 0 done,
    1 not done, 2 a wrong call.
    """


@main.command()
def version() -> None:
    """Say which version this is."""
    click.echo(__version__)


@main.command()
def migrate() -> None:
    """Make the databases ready for this version.

    Before each start of a new version; any number of times.
    """
    with opened() as services:
        services.analytics.prepare()
    click.echo("The databases are ready.")


for command in (dev, serve, worker, doctor, feed, recalculate, streamers, subscriptions):
    main.add_command(command)
