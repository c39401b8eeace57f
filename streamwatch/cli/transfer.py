"""`streamwatch export` and `streamwatch import`: moving to another installation."""

from typing import BinaryIO

import click
import orjson

from streamwatch.cli.services import shared
from streamwatch.cli.streamers import report_added
from streamwatch.domain.exports import InvalidExport


@click.command("export")
@click.option("--secrets", is_flag=True, help="Include URLs and secrets of notifications.")
def export_command(secrets: bool) -> None:
    """Print the streamers and the notifications as JSON.

    The JSON is for `streamwatch import`. Without --secrets, notifications are imported without a
    URL and switched off. Statistics and events are not part of it: copy the databases for those.
    """
    with shared() as services:
        document = services.transfer.export(secrets=secrets)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    click.echo(orjson.dumps(document, option=options), nl=False)


@click.command("import")
@click.argument("file", type=click.File("rb"))
def import_command(file: BinaryIO) -> None:
    """Add the streamers and the notifications of an export.

    FILE `-` is standard input. What exists does not change. A faulty file changes nothing.
    """
    try:
        document = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"{file.name} is not JSON: {error}") from None
    with shared() as services:
        try:
            imported = services.transfer.load(document)
        except InvalidExport as error:
            lines = [f"{place}: {fault}" for place, fault in error.faults]
            message = "\n".join(["Nothing was imported:", *lines])
            raise click.ClickException(message) from None
    report_added(imported)
    click.echo(f"Notifications added: {len(imported.notifications)}")
    if imported.not_found or imported.failed:
        raise click.exceptions.Exit(1)
