"""Opens the services for a command, and shows errors as one line."""

import errno
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from streamwatch.analytics.base import AnalyticsError
from streamwatch.bootstrap import Services, build
from streamwatch.domain.progress import Progress
from streamwatch.domain.tags import InvalidTags
from streamwatch.embedded_socket import is_running
from streamwatch.services.errors import (
    AlreadyRunning,
    NotMonitored,
    UnknownStreamer,
    UnknownUser,
)
from streamwatch.services.notifications.errors import NotificationError
from streamwatch.settings import (
    EMBEDDED,
    Origin,
    Settings,
    SettingsError,
    from_env,
    is_color_refused,
)
from streamwatch.storage.base import StorageError
from streamwatch.twitch.base import TwitchError

_EXPECTED_ERRORS = (
    SettingsError,
    StorageError,
    AnalyticsError,
    TwitchError,
    UnknownUser,
    NotMonitored,
    InvalidTags,
    UnknownStreamer,
    AlreadyRunning,
    NotificationError,
)


class Commands(click.Group):
    """A group whose commands end with a line and exit code 1 on an expected error."""

    def invoke(self, ctx: click.Context) -> Any:
        # A locale such as ISO-8859-1 lacks characters of names and titles; a file may have another
        # encoding than the locale.
        for stream in (sys.stdin, sys.stdout):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        if is_color_refused():
            ctx.color = False
        try:
            return super().invoke(ctx)
        except _EXPECTED_ERRORS as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise click.ClickException(f"The output is incomplete: {error.strerror}.") from error


@contextmanager
def opened() -> Iterator[Services]:
    """The services of the settings. Without STORAGE_TYPE, the storage is that of the `streamwatch
    dev` that runs on DATA_DIR, if one does. Raises SettingsError."""
    services = build(from_env(default_storage=_running_storage))
    try:
        yield services
    finally:
        services.close()


def _running_storage(data_dir: Path) -> str:
    """The storage type of the `streamwatch dev` that runs on this folder; memory without one."""
    return EMBEDDED if is_running(data_dir) else "memory"


@contextmanager
def shared() -> Iterator[Services]:
    """The services, for a command that needs the storage of the running processes."""
    with opened() as services:
        if not services.storage.shared:
            raise click.ClickException(_not_shared(services.settings))
        yield services


def _not_shared(settings: Settings) -> str:
    message = (
        f"STORAGE_TYPE={settings.storage_type} is in the web process's memory: use its API instead."
    )
    hint = hint_at_dev(settings)
    return f"{message} {hint}" if hint else message


def hint_at_dev(settings: Settings) -> str:
    """How to reach the storage of `streamwatch dev`; "" if STORAGE_TYPE is set."""
    if settings.origin("STORAGE_TYPE") is not Origin.DEFAULT:
        return ""
    return "If you use `streamwatch dev`, run this command while it runs, in its folder."


def require_stored_analytics(services: Services, remedy: str) -> None:
    """Raise ClickException if the analytics are in the memory of another process: the worker."""
    if services.settings.analytics_type == "memory":
        raise click.ClickException(
            f"ANALYTICS_TYPE=memory is in the memory of the worker: {remedy}."
        )


def require_database(services: Services) -> None:
    """Raise ClickException if storage and analytics are both in memory, as without settings."""
    settings = services.settings
    if not services.storage.shared and settings.analytics_type == "memory":
        message = "The settings name no database: STORAGE_TYPE and ANALYTICS_TYPE are `memory`."
        raise click.ClickException(f"{message} {hint_at_dev(settings)}".strip())


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """Show a progress bar on a terminal. Yields a function that takes the number of finished items
    and the total."""
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def report(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield report
