"""`streamwatch subscriptions`: what Twitch tells us of."""

import math

import click

from streamwatch.cli.services import opened, progress, shared
from streamwatch.domain.models import Subscription
from streamwatch.services.subscriptions.result import Outcome

_SURE = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def subscriptions() -> None:
    """What Twitch tells us of (EventSub)."""


@subscriptions.command("list")
def list_subscriptions() -> None:
    """List all of the application.

    A line each: the id, the type, the user id, Twitch's status, and `ours` or the other callback.
    """
    with opened() as services:
        listed = services.subscriptions.listing()
    for one in listed.ours:
        click.echo(_line(one, "ours"))
    for one in listed.others:
        click.echo(_line(one, one.callback or "no callback"))
    click.echo(
        f"{len(listed.ours)} ours, {len(listed.others)} others;"
        f" cost {listed.total_cost} of {listed.max_total_cost}",
        err=True,
    )


@subscriptions.command()
def verify() -> None:
    """Make them what they should be.

    Creates what is missing, replaces what is dead, deletes what is not wanted. With exit code 1
    something is still missing.
    """
    with shared() as services, progress("Mending subscriptions") as tell:
        result = services.subscriptions.reconcile(tell, seconds=math.inf)
    click.echo(
        f"{result.status}: {result.checked} checked, {result.healthy} healthy,"
        f" {result.created} created, {result.deleted} deleted, {result.failed} failed"
    )
    if result.status not in (Outcome.HEALTHY, Outcome.DISABLED):
        raise click.exceptions.Exit(1)


@subscriptions.command()
@_SURE
def cleanup(*, yes: bool) -> None:
    """Delete those for our callback."""
    with shared() as services:
        count = len(services.subscriptions.listing().ours)
        _make_sure(yes, f"Delete {count} subscriptions for our callback?")
        with progress("Deleting") as tell:
            count = services.subscriptions.cleanup(tell)
    click.echo(f"Deleted {count} subscriptions; the worker creates those that are wanted again.")


@subscriptions.command()
@_SURE
def delete_all(*, yes: bool) -> None:
    """Delete all of the application.

    Those for other callbacks, of other services, are deleted too.
    """
    with shared() as services:
        listed = services.subscriptions.listing()
        _make_sure(
            yes,
            f"Delete {len(listed.ours)} subscriptions for our callback"
            f" and {len(listed.others)} of other services?",
        )
        with progress("Deleting") as tell:
            count = services.subscriptions.delete_all(tell)
    click.echo(f"Deleted {count} subscriptions.")


def _line(one: Subscription, whose: str) -> str:
    return f"{one.id}  {one.type:14}  {one.user_id or '-':>10}  {one.status}  {whose}"


def _make_sure(yes: bool, question: str) -> None:
    if not yes:
        click.confirm(question, abort=True)
