"""`streamwatch recalculate`: figures made anew."""

import click

from streamwatch.cli.arguments import Login
from streamwatch.cli.services import opened, progress


@click.command()
@click.argument("logins", nargs=-1, type=Login())
@click.option("--all", "everyone", is_flag=True, help="Of everybody.")
def recalculate(logins: tuple[str, ...], everyone: bool) -> None:
    """Make sessions and figures anew from the samples and events that are kept.

    It finds what is shown already, unless SAMPLE_CAP_SECONDS has changed or what is stored was
    damaged. Figures whose samples are no longer kept stay as they are.
    """
    if bool(logins) == everyone:
        raise click.UsageError("Name streamers, or say --all.")
    with opened() as services, progress("Recalculating") as tell:
        if services.settings.analytics_type == "memory":
            raise click.ClickException("ANALYTICS_TYPE=memory is seen by the worker alone.")
        if everyone:
            count = services.analytics_queries.recalculate_all(tell)
        for count, login in enumerate(logins, 1):
            services.analytics_queries.recalculate(login)
            tell(count, len(logins))
    click.echo(f"{count} recalculated")
