"""The command line `streamwatch`."""

import click

from streamwatch import __version__
from streamwatch.cli.backfill import backfill
from streamwatch.cli.doctor import doctor
from streamwatch.cli.feed import feed
from streamwatch.cli.notifications import notifications
from streamwatch.cli.processes import dev, serve, worker
from streamwatch.cli.recalculate import recalculate
from streamwatch.cli.services import Commands, opened, progress, require_database
from streamwatch.cli.streamers import streamers
from streamwatch.cli.subscriptions import subscriptions
from streamwatch.cli.transfer import export_command, import_command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s", prog_name="streamwatch")
def main() -> None:
    """Watch Twitch streamers: who is live, what happened, how their streams perform.

    Settings come from the environment, else from the file .env in this folder. Exit codes: 0 for
    success, 1 for failure, 2 for wrong usage.
    """


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


@main.command()
def migrate() -> None:
    """Prepare the databases for this version.

    It also converts the analytics that version 0.1 stored. Run it before a new version starts; it
    may run any number of times.
    """
    with opened() as services:
        require_database(services)
        services.storage.check()
        services.analytics.prepare()
        with progress("Converting the analytics") as report:
            done = services.analytics.migrate(report)
    for sentence in done:
        click.echo(f"{sentence}.")
    click.echo("The databases are ready.")


for command in (
    dev,
    serve,
    worker,
    backfill,
    doctor,
    feed,
    notifications,
    recalculate,
    streamers,
    subscriptions,
    export_command,
    import_command,
):
    main.add_command(command)
