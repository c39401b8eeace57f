"""`streamwatch notifications`: list, add, edit, remove and test notifications, and their
deliveries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from streamwatch.cli.arguments import Tag
from streamwatch.cli.services import shared
from streamwatch.domain.notifications.documents import shown_url
from streamwatch.domain.notifications.models import (
    CHANGES,
    EVENT_TYPES,
    Delivery,
    DeliveryStatus,
    Notification,
    TargetKind,
)
from streamwatch.domain.notifications.validation import DEFAULTS, InvalidNotification
from streamwatch.domain.times import format_time

_LIMIT = click.IntRange(1, 1000)

_OPTIONS = (
    click.option("--name", help="By default made of kind and host."),
    click.option("--event", "events", multiple=True, type=click.Choice(EVENT_TYPES)),
    click.option("--streamer", "streamers", multiple=True, help="A login; several are allowed."),
    click.option("--tag", "tags", multiple=True, type=Tag(), help="A tag of streamers."),
    click.option("--category", "categories", multiple=True, help="The name of a category."),
    click.option("--title-contains", multiple=True, help="A part of the title."),
    click.option("--changed", multiple=True, type=click.Choice(CHANGES), help="For updates."),
    click.option("--cooldown", "cooldown_minutes", type=int, help="In minutes."),
    click.option("--quiet", "quiet_hours", help="Quiet hours, like 23:00-07:00@Europe/Berlin."),
    click.option(
        "--template", help="The text of all chosen events, with $streamer, $title and others."
    ),
)
"""The settings of a notification, in the order in which `--help` lists them."""


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def notifications() -> None:
    """Manage notifications to Discord, webhooks and Apprise."""


@notifications.command("list")
def list_notifications() -> None:
    """List all notifications, oldest first.

    A line has the id, the kind, `on` or `off`, the URL without its secret, and the name.
    """
    with shared() as services:
        known = services.notifications.management.all()
    for notification in known:
        click.echo(_line(notification))
    click.echo(f"{len(known)} notifications", err=True)


@notifications.command()
@click.argument("kind", type=click.Choice([kind.value for kind in TargetKind]))
@click.argument("url")
@_setting_options
def add(kind: str, url: str, **options: Any) -> None:
    """Add a notification, and print its id.

    A webhook's signing secret is printed once, below the id.
    """
    with shared() as services, _faults_as_errors():
        management = services.notifications.management
        made, secret = management.create({"kind": kind, "url": url, **_given(options)})
        unmonitored = management.unmonitored(made)
    click.echo(made.id)
    if secret:
        click.echo(secret)
        click.echo("The second line is the signing secret. It is not shown again.", err=True)
    _hint_at(unmonitored)


@notifications.command()
@click.argument("notification_id")
@click.option("--url", help="Another URL of the same kind.")
@_setting_options
@click.option("--on/--off", "enabled", default=None, help="Switch it on or off.")
@click.option(
    "--reset",
    "reset",
    multiple=True,
    type=click.Choice([field for field in DEFAULTS if field != "enabled"]),
    help="Reset a setting to its default, such as an empty filter.",
)
def edit(notification_id: str, reset: tuple[str, ...], **options: Any) -> None:
    """Change the settings that are given. Others stay as they are.

    The values of an option such as --streamer replace the whole filter.
    """
    changes = {field: DEFAULTS[field] for field in reset} | _given(options)
    if not changes:
        raise click.UsageError("Give at least one setting to change.")
    with shared() as services, _faults_as_errors():
        management = services.notifications.management
        changed = management.change(notification_id, changes)
        unmonitored = management.unmonitored(changed)
    click.echo(f"Changed: {changed.name}")
    _hint_at(unmonitored)


@notifications.command()
@click.argument("notification_id")
def remove(notification_id: str) -> None:
    """Remove a notification and its deliveries."""
    with shared() as services:
        removed = services.notifications.management.remove(notification_id)
    click.echo(f"Removed: {removed.name}")


@notifications.command()
@click.argument("notification_id")
def test(notification_id: str) -> None:
    """Send a made-up go-live now, and print what the receiver said.

    The worker sends it. The exit code is 1 if it was not delivered.
    """
    with shared() as services:
        tested = services.notifications.management.test(notification_id)
    if tested.status is not DeliveryStatus.DELIVERED:
        raise click.ClickException(tested.error or "The test was not delivered.")
    answer = f" (status {tested.status_code})" if tested.status_code else ""
    click.echo(f"Delivered{answer}")


@notifications.command()
@click.argument("notification_id")
@click.option("--limit", type=_LIMIT, default=50, show_default=True)
def deliveries(notification_id: str, limit: int) -> None:
    """List the deliveries of a notification, newest first.

    A line has the time, the id, the event, the streamer, the status, and the reason if any.
    """
    with shared() as services:
        found = services.notifications.management.deliveries(notification_id, limit)
    for delivery in found:
        click.echo(_delivery_line(delivery))
    click.echo(f"{len(found)} deliveries", err=True)


@notifications.command()
@click.argument("notification_id")
@click.argument("delivery_id")
def retry(notification_id: str, delivery_id: str) -> None:
    """Send a finished delivery again."""
    with shared() as services:
        again = services.notifications.management.retry(notification_id, delivery_id)
    click.echo(f"Pending: {again.id}")


def _line(notification: Notification) -> str:
    state = "on " if notification.enabled else "off"
    url = shown_url(notification.kind, notification.url)
    return f"{notification.id}  {notification.kind:8}  {state}  {url}  {notification.name}"


def _delivery_line(delivery: Delivery) -> str:
    made_at = format_time(delivery.created_at.replace(microsecond=0).astimezone(UTC))
    login = delivery.event.broadcaster_login
    parts = [made_at, delivery.id, f"{delivery.event_type:14}", login, delivery.status]
    if delivery.status is DeliveryStatus.PENDING and delivery.next_attempt_at:
        parts.append(f"next attempt {_clock(delivery.next_attempt_at)}")
    if delivery.error:
        parts.append(delivery.error)
    return "  ".join(parts)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def _faults_as_errors() -> Iterator[None]:
    try:
        yield
    except InvalidNotification as error:
        raise click.ClickException(str(error)) from None


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the options that were given."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if quiet := given.pop("quiet_hours", None):
        given["quiet_hours"] = _quiet_hours(quiet)
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items()
    }


def _hint_at(unmonitored: Sequence[str]) -> None:
    if unmonitored:
        logins = " ".join(unmonitored)
        click.echo(
            f"Not monitored: {', '.join(unmonitored)}. Nothing is sent about them until you add"
            f" them: streamwatch streamers add {logins}",
            err=True,
        )


def _quiet_hours(text: str) -> dict[str, str]:
    hours, _, tz = text.partition("@")
    start, _, end = hours.partition("-")
    return {"start": start, "end": end, "tz": tz or "UTC"}
