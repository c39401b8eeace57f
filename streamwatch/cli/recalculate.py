"""`streamwatch recalculate`: compute sessions and statistics again."""

import click

from streamwatch.analytics.base import AnalyticsError
from streamwatch.cli.arguments import Login, require_logins_or_all
from streamwatch.cli.services import opened, progress, require_stored_analytics


@click.command()
@click.argument("logins", nargs=-1, type=Login())
@click.option("--all", "everyone", is_flag=True, help="Recalculate all streamers.")
def recalculate(logins: tuple[str, ...], everyone: bool) -> None:
    """Compute sessions and statistics again.

    They are computed from the stored samples and events. The result differs from the present one
    only if SAMPLE_CAP_SECONDS has changed or stored data was damaged. Statistics whose samples have
    been deleted stay as they are. Exit code 1 means that a streamer's data is damaged beyond that.
    """
    require_logins_or_all(logins, everyone)
    errors = list[AnalyticsError]()
    with opened() as services, progress("Recalculating") as report:
        require_stored_analytics(services, "it cannot be recalculated")
        if everyone:
            count, errors = services.analytics_queries.recalculate_all(report)
        for count, login in enumerate(logins, 1):
            services.analytics_queries.recalculate(login)
            report(count, len(logins))
    click.echo(f"{count} recalculated")
    for error in errors:
        click.echo(str(error), err=True)
    if errors:
        raise click.exceptions.Exit(1)
