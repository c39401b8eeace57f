"""Manage → Notifications: add, edit, test, switch and remove notifications, and see their
deliveries."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from streamwatch.api.context import services
from streamwatch.dashboard.blueprint import blueprint
from streamwatch.dashboard.notification_form import (
    Form,
    changed_fields,
    chosen_events,
    edited_settings,
    form_from,
    merged_form,
    new_id_from,
    preview_of,
    settings_from,
    shown_in,
)
from streamwatch.dashboard.notification_texts import (
    EVENT_NAMES,
    conflict_text,
    edit_result,
    event_names,
    filters_text,
    form_faults,
    test_result,
)
from streamwatch.domain.notifications.models import (
    DEFAULT_CHANGES,
    DEFAULT_COOLDOWN_MINUTES,
    EVENT_TYPES,
)
from streamwatch.domain.notifications.texts import PLACEHOLDERS
from streamwatch.domain.notifications.validation import InvalidNotification
from streamwatch.services.notifications.errors import (
    AlreadyAdded,
    ChangedMeanwhile,
    DeliveryPending,
    NotificationOff,
    TooManyNotifications,
)
from streamwatch.services.notifications.management import Notifications, new_notification_id
from streamwatch.twitch.base import TwitchError

DELIVERIES_SHOWN = 100

Refused = tuple[str, HTTPStatus]
"""The page of a form that was not carried out, with its status."""


def _notifications() -> Notifications:
    return services().notifications.management


@blueprint.get("/manage/notifications")
def show_notifications() -> str:
    """The notifications, with the result of the form: the query names the notification that was
    added."""
    for known in _notifications().all():
        if known.id == request.args.get("made"):
            return _page(made=known, unmonitored=_notifications().unmonitored(known))
    return _page()


@blueprint.post("/manage/notifications")
def add_notification() -> Response | str | Refused:
    """Add a notification or, with the button *Preview*, show a message that it would send."""
    form = request.form
    if "preview" in form:
        return _page(form=form, preview=preview_of(form))
    try:
        made, secret = _notifications().create(settings_from(form), new_id_from(form))
    except (InvalidNotification, AlreadyAdded, TooManyNotifications, TwitchError) as error:
        return _page(form=form, faults=form_faults(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    if secret is None:  # a secret is shown once, hence not after a redirect
        target = url_for("dashboard.show_notifications", made=made.id)
        return redirect(target, HTTPStatus.SEE_OTHER)
    return _page(made=made, secret=secret, unmonitored=_notifications().unmonitored(made))


@blueprint.get("/manage/notifications/<notification_id>")
def show_notification(notification_id: str) -> str:
    """A notification and its deliveries, with the result of the edit or test that the query
    names."""
    if "changed" in request.args:
        return _detail(notification_id, message=edit_result(request.args["changed"].split()))
    if tested_id := request.args.get("tested"):
        for delivery in _notifications().deliveries(notification_id, DELIVERIES_SHOWN):
            if delivery.id == tested_id:
                return _detail(notification_id, message=test_result(delivery))
    return _detail(notification_id)


@blueprint.get("/manage/notifications/<notification_id>/edit")
def show_notification_form(notification_id: str) -> str:
    return _edit_page(notification_id)


@blueprint.post("/manage/notifications/<notification_id>/edit")
def edit_notification(notification_id: str) -> Response | str | Refused:
    """Save the changed settings or, with the button *Preview*, show a message with them. If another
    request changed the notification after the form was shown, nothing is saved. The form then shows
    what the user changed, and all else as it is now."""
    form = request.form
    if "preview" in form:
        return _edit_page(notification_id, form=form, preview=preview_of(form))
    [document] = _notifications().documents([_notifications().get(notification_id)])
    edited = edited_settings(form, document)
    try:
        _notifications().change(notification_id, edited, form.get("version", type=int))
    except ChangedMeanwhile:
        return _conflict_page(notification_id, form), HTTPStatus.UNPROCESSABLE_ENTITY
    except (InvalidNotification, TwitchError) as error:
        page = _edit_page(notification_id, form=form, faults=form_faults(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    return _redirect_to(notification_id, changed=" ".join(edited))


@blueprint.post("/manage/notifications/<notification_id>/test")
def test_notification(notification_id: str) -> Response:
    """Send a test. Its result is shown after a redirect, so that reloading sends no second one."""
    tested = _notifications().test(notification_id)
    return _redirect_to(notification_id, tested=tested.id)


@blueprint.post("/manage/notifications/<notification_id>/switch")
def switch_notification(notification_id: str) -> Response | str:
    try:
        _notifications().change(notification_id, {"enabled": request.form.get("on") == "1"})
    except (ChangedMeanwhile, InvalidNotification) as error:
        return _detail(notification_id, message=str(error))
    return _redirect_to(notification_id)


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
    return _redirect_to(notification_id)


def _redirect_to(
    notification_id: str, *, tested: str | None = None, changed: str | None = None
) -> Response:
    target = url_for(
        "dashboard.show_notification",
        notification_id=notification_id,
        tested=tested,
        changed=changed,
    )
    return redirect(target, HTTPStatus.SEE_OTHER)


def _page(form: Form | None = None, **more: Any) -> str:
    known = _notifications().all()
    return render_template(
        "dashboard/notifications.html",
        notifications=zip(known, _notifications().documents(known), strict=True),
        count=len(known),
        new_id=new_notification_id(),
        **_form_context(form or {}, DEFAULT_CHANGES) | more,
    )


def _edit_page(notification_id: str, form: Form | None = None, **more: Any) -> str:
    """The form that edits a notification, with the values and the version of `form` if it was
    submitted."""
    notification = _notifications().get(notification_id)
    [document] = _notifications().documents([notification])
    stored = form_from(document)
    origin = {
        "shown": shown_in(form) if form else stored,
        "version": form.get("version") if form else notification.version,
    }
    return render_template(
        "dashboard/notification_edit.html",
        edited=document,
        **_form_context(form or stored, document["changed"]) | origin | more,
    )


def _conflict_page(notification_id: str, form: Form) -> str:
    """The form for another attempt after another request changed the notification."""
    notification = _notifications().get(notification_id)
    [document] = _notifications().documents([notification])
    stored = form_from(document)
    return _edit_page(
        notification_id,
        form=merged_form(form, stored),
        faults={"notification": conflict_text(changed_fields(shown_in(form), stored))},
        shown=stored,
        version=notification.version,
    )


def _form_context(form: Form, changed: Sequence[str]) -> dict[str, Any]:
    names = event_names(changed)
    return {
        "form": form,
        "faults": {},
        "event_names": {name: names[name] for name in EVENT_TYPES},
        "chosen": chosen_events(form),
        "placeholders": PLACEHOLDERS,
        "default_cooldown": DEFAULT_COOLDOWN_MINUTES,
    }


def _detail(notification_id: str, **more: Any) -> str:
    notification = _notifications().get(notification_id)
    [document] = _notifications().documents([notification])
    return render_template(
        "dashboard/notification.html",
        notification=notification,
        url=document["url"],
        filters_text=filters_text(document, notification.kind),
        unmonitored=_notifications().unmonitored(notification),
        deliveries=_notifications().deliveries(notification_id, DELIVERIES_SHOWN),
        event_names=EVENT_NAMES,
        **more,
    )
