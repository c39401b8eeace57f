"""The resources of the operator, which always need a full key."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify

from streamwatch.api.admin_schemas import (
    CleanupSchema,
    DeletionSchema,
    DiagnosticsSchema,
    ReconciliationSchema,
    ReloadedSchema,
    SubscriptionsSchema,
)
from streamwatch.api.blueprint import Blueprint
from streamwatch.api.context import services
from streamwatch.api.documents import subscription_document
from streamwatch.api.webhooks import OUTCOMES
from streamwatch.domain.times import format_time
from streamwatch.services.monitoring.diagnostics import Diagnosis
from streamwatch.services.subscriptions.result import OUTCOME_MESSAGES
from streamwatch.services.subscriptions.transport import Method

blueprint = Blueprint(
    "admin",
    __name__,
    url_prefix="/admin",
    description="Operations for the operator; they need a full key.",
)


@blueprint.get("/subscriptions")
@blueprint.response(200, SubscriptionsSchema)
@blueprint.problems(502, 503)
def list_subscriptions() -> Response:
    """List the subscriptions at Twitch

    Lists the subscriptions for this installation's callback or conduit, and the other
    subscriptions of the Twitch application. Calls Twitch once for each 100 subscriptions.
    """
    listed = services().subscriptions.listing()
    return jsonify(
        subscriptions=[subscription_document(subscription) for subscription in listed.ours],
        other_subscriptions=[subscription_document(subscription) for subscription in listed.others],
        total_subscriptions=len(listed.ours) + len(listed.others),
        our_subscriptions_count=len(listed.ours),
        other_subscriptions_count=len(listed.others),
        webhook_url=listed.webhook_url,
        transport=listed.transport,
        conduit=asdict(listed.conduit) if listed.conduit else None,
        updates_without_room=listed.updates_without_room,
        costs={"total_cost": listed.total_cost, "max_total_cost": listed.max_total_cost},
    )


@blueprint.post("/verify-subscriptions")
@blueprint.response(200, ReconciliationSchema)
@blueprint.problems(409, 502, 503)
def verify_subscriptions() -> Response:
    """Reconcile the subscriptions

    Creates missing subscriptions, replaces failed ones, and deletes those that are not needed.
    Responds with 409 while another process reconciles the subscriptions.
    """
    result = services().subscriptions.reconcile()
    return jsonify(message=OUTCOME_MESSAGES[result.status], **asdict(result))


@blueprint.post("/cleanup-subscriptions")
@blueprint.response(200, CleanupSchema)
@blueprint.problems(409, 502, 503)
def cleanup_subscriptions() -> Response:
    """Delete the subscriptions of this installation

    Deletes the subscriptions for this installation's callback or conduit. The next reconciliation
    creates the needed ones again.
    """
    count = services().subscriptions.cleanup()
    return jsonify(message=f"Deleted {count} subscriptions.", cleanup_count=count)


@blueprint.post("/delete-all-subscriptions")
@blueprint.response(200, DeletionSchema)
@blueprint.problems(409, 502, 503)
def delete_all_subscriptions() -> Response:
    """Delete all subscriptions of the application

    Deletes all subscriptions of the Twitch application, also those of other installations. The next
    reconciliation creates the needed ones again.
    """
    count = services().subscriptions.delete_all()
    return jsonify(
        message=f"Deleted {count} subscriptions.",
        deleted_count=count,
        warning="Subscriptions of other services of this Twitch application are deleted too.",
    )


@blueprint.post("/reload-default-streamers")
@blueprint.response(200, ReloadedSchema)
@blueprint.problems(502, 503)
def reload_default_streamers() -> Response:
    """Monitor DEFAULT_STREAMERS

    Adds them as the worker does at its start, including streamers that were removed since.
    """
    wanted = services().settings.default_streamers
    result = services().streamers.add_many(wanted)
    message = f"Added {len(result.added)} of {len(wanted)} default streamers."
    return jsonify(message=message, **asdict(result))


@blueprint.get("/diagnostics")
@blueprint.response(200, DiagnosticsSchema)
@blueprint.problems(503)
def diagnostics() -> Response:
    """Show the state of all processes

    Shows counts of messages, the feed, the worker, and the state of Twitch and EventSub. While
    Twitch does not answer, `twitch.error` says why.
    """
    return jsonify(_document(services().diagnostics.diagnose()))


def _document(diagnosis: Diagnosis) -> dict[str, Any]:
    messages = dict.fromkeys(OUTCOMES, 0) | diagnosis.messages
    return {
        "messages": {"received": sum(messages.values()), **messages},
        "feed": _feed(diagnosis),
        "worker": _worker(diagnosis),
        "twitch": _twitch(diagnosis),
        "eventsub": _eventsub(diagnosis),
    }


def _feed(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "length": diagnosis.feed_length,
        "readers": [asdict(reader) for reader in diagnosis.readers],
        "set_aside": [
            {
                "id": entry.id,
                "reader": entry.reader,
                "error": entry.error,
                "at": format_time(entry.at),
            }
            for entry in diagnosis.set_aside
        ],
    }


def _worker(diagnosis: Diagnosis) -> dict[str, Any]:
    leader, heartbeat = diagnosis.leader, diagnosis.last_heartbeat
    return {
        "leader": leader.holder if leader else None,
        "last_heartbeat": format_time(heartbeat) if heartbeat else None,
        "jobs": [
            asdict(run) | {"started_at": format_time(run.started_at)} for run in diagnosis.jobs
        ],
    }


def _twitch(diagnosis: Diagnosis) -> dict[str, Any]:
    budget = diagnosis.helix
    budget_document = (
        asdict(budget) | {"resets_at": format_time(budget.resets_at)} if budget else None
    )
    return {
        "error": diagnosis.twitch_error,
        "budget": budget_document,
        "subscriptions": diagnosis.subscriptions,
        "clock_offset_seconds": round(diagnosis.clock_offset.total_seconds(), 1),
    }


def _eventsub(diagnosis: Diagnosis) -> dict[str, Any]:
    state = diagnosis.eventsub
    last = state.last_message_at
    return {
        "transport": diagnosis.method,
        "connected": state.is_connected if diagnosis.method is Method.CONDUIT else None,
        "reconnects": state.reconnects,
        "last_message_at": format_time(datetime.fromtimestamp(last, UTC)) if last else None,
    }
