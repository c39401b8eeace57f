"""Manage → Diagnostics: what works, what does not, and what the numbers mean."""

from flask import render_template

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.services.clock import WARN_BEYOND

JOBS = {
    "missed-streams": "Queues the videos of streams that ran while StreamWatch was off",
    "default-streamers": "Adds DEFAULT_STREAMERS",
    "reconcile": "Compares the subscriptions with the streamers, and repairs them",
    "refresh": "Polls viewers, titles and categories",
    "details": "Reads title and category of streams that just started",
    "names": "Reads names and profile images",
    "budget": "Publishes the remaining rate limit of Helix",
    "trim-feed": "Removes entries that every reader has processed",
}
"""What each job does."""

OUTCOMES = {
    "accepted": "Stored",
    "late": "Stored in the history; the status was newer already",
    "duplicate": "Known already; nothing changed",
    "verified": "Twitch checked the webhook's address",
    "revoked": "Twitch ended a subscription; it is created again where Twitch allows it",
    "unknown": "The type is one that StreamWatch does not use",
    "refused:forged": "Wrong signature: another WEBHOOK_SECRET, or not from Twitch",
    "refused:stale": "More than ten minutes old or early: check this machine's clock",
    "refused:malformed": "The content does not match its type",
    "refused:too_large": "Larger than 64 KiB",
    "unavailable": "The storage did not answer; Twitch sends the message again",
}
"""What each outcome of a message means."""

READERS = {
    "analytics": "Computes sessions and statistics",
    "notifications": "Sends notifications",
}
"""What each reader of the feed does."""


@blueprint.get("/manage/diagnostics")
def show_diagnostics() -> str:
    diagnosis = services().diagnostics.diagnose()
    return render_template(
        "dashboard/diagnostics.html",
        diagnosis=diagnosis,
        health=services().health.check(),
        settings=services().settings,
        clock_offset=diagnosis.clock_offset.total_seconds(),
        is_clock_far=abs(diagnosis.clock_offset) > WARN_BEYOND,
        failed_jobs=[run for run in diagnosis.jobs if run.error],
        job_texts=JOBS,
        outcome_texts=OUTCOMES,
        reader_texts=READERS,
    )
