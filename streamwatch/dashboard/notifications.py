"""Manage → Notifications: add, test, switch and remove notifications, and see their deliveries."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.domain.notifications.documents import shown_url
from streamwatch.domain.notifications.models import (
    DEFAULT_COOLDOWN_MINUTES,
    EVENT_TYPES,
    Delivery,
    DeliveryStatus,
    Notification,
    TargetKind,
)
from streamwatch.domain.notifications.texts import PLACEHOLDERS, InvalidTemplate, check_template
from streamwatch.domain.notifications.validation import InvalidNotification
from streamwatch.services.notifications.errors import (
    ChangedMeanwhile,
    DeliveryPending,
    NotificationOff,
    TooManyNotifications,
)
from streamwatch.services.notifications.management import Notifications

DELIVERIES_SHOWN = 100

_LISTS = ("streamers", "tags")
"""Fields that are typed with spaces or commas between the entries."""

_LINES = ("categories", "title_contains")
"""Fields that are typed with commas or line ends between the entries."""

EVENT_NAMES = {
    "stream.online": "Go-live",
    "stream.offline": "End of stream",
    "channel.update": "New title, category or language",
    "test": "Test",
}


def _notifications() -> Notifications:
    return services().notifications.management


@blueprint.get("/manage/notifications")
def show_notifications() -> str:
    return _page()


@blueprint.post("/manage/notifications")
def add_notification() -> str:
    """Add a notification or, with the button *Preview*, show what it would say."""
    form = request.form
    if "preview" in form:
        return _page(form=form, preview=_preview(form))
    try:
        made, secret = _notifications().create(_settings(form))
    except InvalidNotification as error:
        return _page(form=form, faults=error.faults)
    except TooManyNotifications as error:
        return _page(form=form, faults={"kind": str(error)})
    return _page(made=made, secret=secret)


@blueprint.get("/manage/notifications/<notification_id>")
def show_notification(notification_id: str) -> str:
    """A notification and its deliveries, and what came of the test that the query names."""
    if tested_id := request.args.get("tested"):
        for delivery in _notifications().deliveries(notification_id, DELIVERIES_SHOWN):
            if delivery.id == tested_id:
                return _detail(notification_id, message=_test_result(delivery))
    return _detail(notification_id)


@blueprint.post("/manage/notifications/<notification_id>/test")
def test_notification(notification_id: str) -> Response:
    """Send a test. Its result is shown after a redirect, so that reloading sends no second one."""
    tested = _notifications().test(notification_id)
    return _back(notification_id, tested.id)


@blueprint.post("/manage/notifications/<notification_id>/switch")
def switch_notification(notification_id: str) -> Response | str:
    try:
        _notifications().change(notification_id, {"enabled": request.form.get("on") == "1"})
    except (ChangedMeanwhile, InvalidNotification) as error:
        return _detail(notification_id, message=str(error))
    return _back(notification_id)


@blueprint.post("/manage/notifications/<notification_id>/remove")
def remove_notification(notification_id: str) -> Response:
    removed = _notifications().remove(notification_id)
    target = url_for("dashboard.show_notifications", removed=removed.name)
    return redirect(target, HTTPStatus.SEE_OTHER)


@blueprint.post("/manage/notifications/<notification_id>/deliveries/<delivery_id>/retry")
def retry_delivery(notification_id: str, delivery_id: str) -> Response | str:
    try:
        _notifications().retry(notification_id, delivery_id)
    except (NotificationOff, DeliveryPending, ChangedMeanwhile) as error:
        return _detail(notification_id, message=str(error))
    return _back(notification_id)


def _test_result(tested: Delivery) -> str:
    if tested.status is not DeliveryStatus.DELIVERED:
        return f"Not delivered: {tested.error}."
    answer = f" It answered {tested.status_code}." if tested.status_code else ""
    return f"The receiver took the test.{answer}"


def _back(notification_id: str, tested: str | None = None) -> Response:
    target = url_for("dashboard.show_notification", notification_id=notification_id, tested=tested)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _page(**more: Any) -> str:
    known = _notifications().all()
    shown = {"form": {}, "faults": {}, **more}
    return render_template(
        "dashboard/notifications.html",
        notifications=zip(known, _notifications().documents(known), strict=True),
        count=len(known),
        kinds=list(TargetKind),
        event_names={name: EVENT_NAMES[name] for name in EVENT_TYPES},
        chosen=_chosen_events(shown["form"]),
        placeholders=PLACEHOLDERS,
        default_cooldown=DEFAULT_COOLDOWN_MINUTES,
        **shown,
    )


def _detail(notification_id: str, **more: Any) -> str:
    notification = _notifications().get(notification_id)
    return render_template(
        "dashboard/notification.html",
        notification=notification,
        url=shown_url(notification.kind, notification.url),
        filters_text=_filters_text(notification),
        deliveries=_notifications().deliveries(notification_id, DELIVERIES_SHOWN),
        event_names=EVENT_NAMES,
        **more,
    )


def _settings(form: Mapping[str, str]) -> dict[str, Any]:
    """What was typed. Fields that were left empty keep their defaults."""
    settings: dict[str, Any] = {
        "kind": form.get("kind", ""),
        "url": form.get("url", "").strip(),
        "events": _chosen_events(form),
    }
    for field in ("name", "template"):
        if form.get(field, "").strip():
            settings[field] = form[field].replace("\r\n", "\n").strip()
    settings |= {field: _entries(form.get(field, ""), r"[\s,;]+") for field in _LISTS}
    settings |= {field: _entries(form.get(field, ""), r"[,\n]+") for field in _LINES}
    cooldown = form.get("cooldown_minutes", "").strip()
    if cooldown:
        settings["cooldown_minutes"] = int(cooldown) if cooldown.isdecimal() else cooldown
    start, end = form.get("quiet_start", ""), form.get("quiet_end", "")
    if start or end:
        tz = form.get("quiet_tz", "").strip() or "UTC"
        settings["quiet_hours"] = {"start": start, "end": end, "tz": tz}
    return settings


def _chosen_events(form: Mapping[str, Any]) -> list[str]:
    """The checked events; all where no form was sent."""
    if not form:
        return list(EVENT_TYPES)
    return [name for name in EVENT_TYPES if form.get(name)]


def _entries(text: str, separator: str) -> list[str]:
    return [entry.strip() for entry in re.split(separator, text) if entry.strip()]


def _preview(form: Mapping[str, str]) -> str:
    """What a go-live would say."""
    kind = form.get("kind", "")
    if kind not in set(TargetKind) or kind == TargetKind.WEBHOOK:
        return "A webhook is sent JSON: see the documentation."
    template = form.get("template", "").replace("\r\n", "\n").strip() or None
    try:
        check_template(template or "")
    except InvalidTemplate as error:
        return str(error)
    return services().notifications.previews.text(TargetKind(kind), template)


def _filters_text(notification: Notification) -> list[tuple[str, str]]:
    """The filters that are set, by name."""
    quiet = notification.quiet_hours
    found = {
        "Events": ", ".join(EVENT_NAMES[name] for name in notification.events),
        "Streamers": ", ".join(each.login for each in notification.streamers),
        "Tags": ", ".join(notification.tags),
        "Categories": ", ".join(notification.categories),
        "Title contains": ", ".join(notification.title_contains),
        "Quiet hours": f"{quiet.start:%H:%M} to {quiet.end:%H:%M}, {quiet.tz}" if quiet else "",
    }
    if notification.kind.is_for_people:
        found["Cooldown"] = f"{notification.cooldown_minutes} min"
    return [(name, text) for name, text in found.items() if text]
