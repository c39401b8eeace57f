"""`streamwatch dev`, `serve` and `worker`: the processes themselves."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from streamwatch.dev.process_group import ProcessGroup, stopped_by_signals
from streamwatch.dev.valkey import ValkeyStartError, valkey
from streamwatch.settings import EMBEDDED, from_env
from streamwatch.worker import process as worker_process

_CONFIGURATION = Path("config/gunicorn.conf.py")

WEB = [sys.executable, "-m", "gunicorn", "-c", str(_CONFIGURATION), "wsgi:app"]
WORKER = [sys.executable, "-m", "streamwatch.worker.scheduler"]


@click.command()
def dev() -> None:
    """Run everything: web, worker and, unless STORAGE_TYPE says otherwise, an embedded storage.

    Ctrl-C ends all of it. What was learned is kept in DATA_DIR (./data).
    """
    _be_at_home()
    settings = from_env(storage_type=EMBEDDED)
    stopped = stopped_by_signals()
    commands = {"web": WEB}
    if settings.storage_type != "memory":  # where the web process does the worker's work
        commands["worker"] = WORKER
    environment = os.environ | {"STORAGE_TYPE": settings.storage_type}
    with ExitStack() as stack:
        try:
            servers = (
                [stack.enter_context(valkey(settings.data_dir))]
                if settings.storage_type == EMBEDDED
                else []
            )
        except ValkeyStartError as problem:
            raise click.ClickException(str(problem)) from problem
        ended = ProcessGroup(environment, stopped).run(commands, servers)
    if ended is not None:
        raise click.ClickException(f"The {ended or 'storage'} process has ended, so all have.")


@click.command()
def serve() -> None:
    """Run the web processes: gunicorn with config/gunicorn.conf.py."""
    _be_at_home()
    os.execv(WEB[0], WEB)  # noqa: S606  our own command


@click.command()
def worker() -> None:
    """Run a worker. Any number may run; one leads."""
    raise click.exceptions.Exit(worker_process.main())


def _be_at_home() -> None:
    if not _CONFIGURATION.is_file():
        raise click.ClickException(
            f"There is no {_CONFIGURATION} here: run this in StreamWatch's folder."
        )
