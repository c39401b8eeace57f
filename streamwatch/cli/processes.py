"""`streamwatch dev`, `serve` and `worker`: the commands that run processes."""

import logging.config
import os

import click

from streamwatch.dev.errors import StartError
from streamwatch.dev.process_group import stopped_by_signals
from streamwatch.dev.run import GUNICORN, run
from streamwatch.logs import logging_config
from streamwatch.settings import ORIGINS, Settings, from_env
from streamwatch.worker import process as worker_process


@click.command()
def dev() -> None:
    """Run everything on this machine.

    These are web, worker and an embedded storage. Data is stored in DATA_DIR (./data). STORAGE_TYPE
    chooses another storage. Ctrl-C stops all processes.
    """
    settings = from_env(dev=True)
    logging.config.dictConfig(logging_config(settings))
    stopped = stopped_by_signals()
    try:
        run(settings, child_environment(settings), stopped, click.echo)
    except StartError as error:
        raise click.ClickException(str(error)) from error


@click.command()
def serve() -> None:
    """Run the web processes with gunicorn."""
    command = [*GUNICORN, "streamwatch.server.wsgi:app"]
    os.execv(command[0], command)  # noqa: S606  our own command


@click.command()
def worker() -> None:
    """Run a worker. Any number may run; one of them leads."""
    raise click.exceptions.Exit(worker_process.main())


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of the child processes: ours, with the defaults of `streamwatch dev`."""
    chosen = {
        "STORAGE_TYPE": settings.storage_type,
        "HOST": settings.host,
        "REQUIRE_API_KEY": settings.require_api_key,
        "API_KEY": ",".join(settings.api_keys),
    }
    origins = " ".join(f"{name}={settings.origin(name)}" for name in chosen)
    environment = os.environ | chosen | {ORIGINS: origins}
    environment.pop("NOTIFY_SOCKET", None)  # only the main process tells systemd that it is ready
    return environment
