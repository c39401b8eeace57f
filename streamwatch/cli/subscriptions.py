"""`streamwatch subscriptions`: the EventSub subscriptions and conduits of the application."""

import math

import click

from streamwatch.cli.services import opened, progress, shared
from streamwatch.domain.models import Subscription
from streamwatch.services.subscriptions.listing import Listed
from streamwatch.services.subscriptions.result import Outcome
from streamwatch.services.subscriptions.transport import Method
from streamwatch.twitch.base import NotFound

_YES = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@click.group()
def subscriptions() -> None:
    """List, verify and delete EventSub subscriptions."""


@subscriptions.command("list")
def list_subscriptions() -> None:
    """List all subscriptions of the application.

    One line each: the id, the type, the user id, Twitch's status, and `ours` or the other callback
    or conduit.
    """
    with opened() as services:
        listed = services.subscriptions.listing()
    for subscription in listed.ours:
        click.echo(_line(subscription, "ours"))
    for subscription in listed.others:
        click.echo(_line(subscription, _destination(subscription)))
    click.echo(
        f"{len(listed.ours)} ours, {len(listed.others)} others;"
        f" cost {listed.total_cost} of {listed.max_total_cost}",
        err=True,
    )
    for note in _notes(listed):
        click.echo(note, err=True)


@subscriptions.command()
def verify() -> None:
    """Create missing subscriptions, replace dead ones, delete unwanted ones.

    Exits with code 1 if something is still missing.
    """
    with shared() as services, progress("Verifying subscriptions") as report:
        result = services.subscriptions.reconcile(report, seconds=math.inf)
    click.echo(
        f"{result.status}: {result.checked} checked, {result.healthy} healthy,"
        f" {result.created} created, {result.deleted} deleted, {result.failed} failed"
    )
    if result.status not in (Outcome.HEALTHY, Outcome.DISABLED):
        raise click.exceptions.Exit(1)


@subscriptions.command()
@_YES
def cleanup(*, yes: bool) -> None:
    """Delete the subscriptions on our callback or conduit."""
    with shared() as services:
        listed = services.subscriptions.listing()
        _confirm(f"Delete {len(listed.ours)} subscriptions {_ours(listed)}?", yes=yes)
        with progress("Deleting") as report:
            count = services.subscriptions.cleanup(report)
    click.echo(f"Deleted {count} subscriptions; the worker creates the required ones again.")


@subscriptions.command()
@_YES
def delete_all(*, yes: bool) -> None:
    """Delete all subscriptions of the application.

    This includes those of other services that use the same application.
    """
    with shared() as services:
        listed = services.subscriptions.listing()
        _confirm(
            f"Delete {len(listed.ours)} subscriptions {_ours(listed)}"
            f" and {len(listed.others)} of other services?",
            yes=yes,
        )
        with progress("Deleting") as report:
            count = services.subscriptions.delete_all(report)
    click.echo(f"Deleted {count} subscriptions.")


@subscriptions.group()
def conduits() -> None:
    """List and delete the conduits of the application."""


@conduits.command("list")
def list_conduits() -> None:
    """List all conduits: the id, the number of shards, and `ours` or `other`."""
    with opened() as services:
        own = services.conduit.id()
        found = services.twitch.conduits()
    for conduit in found:
        whose = "ours" if conduit.id == own else "other"
        shards = "1 shard" if conduit.shard_count == 1 else f"{conduit.shard_count} shards"
        click.echo(f"{conduit.id}  {shards}  {whose}")


@conduits.command("delete")
@click.argument("conduit_id", metavar="ID")
@_YES
def delete_conduit(conduit_id: str, *, yes: bool) -> None:
    """Delete the conduit ID with its subscriptions.

    If it is ours, the worker creates another within a minute.
    """
    with opened() as services:
        whose = "our conduit" if conduit_id == services.conduit.id() else "the conduit"
        _confirm(f"Delete {whose} {conduit_id} and its subscriptions?", yes=yes)
        try:
            services.twitch.delete_conduit(conduit_id)
        except NotFound:
            raise click.ClickException(f"There is no conduit {conduit_id}.") from None
    click.echo(f"Deleted conduit {conduit_id}.")


def _line(subscription: Subscription, whose: str) -> str:
    user_id = subscription.user_id or "-"
    return (
        f"{subscription.id}  {subscription.type:14}  {user_id:>10}  {subscription.status}  {whose}"
    )


def _destination(subscription: Subscription) -> str:
    if subscription.conduit_id is not None:
        return f"conduit {subscription.conduit_id}"
    return subscription.callback or "no callback"


def _ours(listed: Listed) -> str:
    return "in our conduit" if listed.transport is Method.CONDUIT else "for our callback"


def _notes(listed: Listed) -> list[str]:
    notes = []
    if listed.conduit is not None:
        states = ", ".join(f"shard {shard.id} {shard.status}" for shard in listed.conduit.shards)
        notes.append(f"conduit {listed.conduit.id}: {states}")
    if listed.updates_without_room:
        notes.append(
            f"{listed.updates_without_room} streamers have no subscription to title updates:"
            " Twitch's cost limit leaves no room"
        )
    return notes


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)
