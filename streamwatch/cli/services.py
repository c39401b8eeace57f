"""The services for the length of a command, and errors in the words of a command line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from streamwatch.analytics.base import AnalyticsUnavailable
from streamwatch.bootstrap import Services, build
from streamwatch.embedded_socket import is_running
from streamwatch.services.errors import (
    AlreadyRunning,
    NotMonitored,
    UnknownStreamer,
    UnknownUser,
)
from streamwatch.settings import DATA_DIR, EMBEDDED, SettingsError, from_env
from streamwatch.storage.base import StorageError
from streamwatch.twitch.base import TwitchError

_TOLD = (
    SettingsError,
    StorageError,
    AnalyticsUnavailable,
    TwitchError,
    UnknownUser,
    NotMonitored,
    UnknownStreamer,
    AlreadyRunning,
)


class Commands(click.Group):
    """A group whose commands end with one line and exit code 1 where a service cannot do its
    work."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _TOLD as error:
            raise click.ClickException(str(error)) from error


@contextmanager
def opened() -> Iterator[Services]:
    """The services as the settings ask for them; where they name no storage, those that
    `streamwatch dev` runs here, if it does. Raises SettingsError."""
    services = build(from_env(storage_type=EMBEDDED if is_running(DATA_DIR) else "memory"))
    try:
        yield services
    finally:
        services.close()


@contextmanager
def shared() -> Iterator[Services]:
    """The same for a command that means what the running processes see."""
    with opened() as services:
        if not services.storage.shared:
            raise click.ClickException(
                f"STORAGE_TYPE={services.settings.storage_type} is seen by the web process alone:"
                " use its API instead."
            )
        yield services


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, told by how many pieces of work are done and of how many."""
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tell
