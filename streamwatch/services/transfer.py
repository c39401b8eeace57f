"""Exports and imports the streamers and the notifications."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from streamwatch.domain.exports import Export, export_document, parse_export
from streamwatch.domain.notifications.models import (
    MAX_NOTIFICATIONS,
    Notification,
    SigningSecret,
    TargetKind,
)
from streamwatch.services.documents import Document
from streamwatch.services.notifications.errors import TooManyNotifications
from streamwatch.services.notifications.senders.webhook import new_secret
from streamwatch.services.streamers import BulkAdded, Streamers
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import TwitchDenied, TwitchNotConfigured

ImportGuard = Callable[[int], AbstractContextManager[None]]
"""Makes the context in which Twitch is called for so many logins."""


@dataclass(slots=True)
class Imported(BulkAdded):
    """The logins of an import by result, and the ids of the notifications that were added."""

    notifications: list[str] = field(default_factory=list)


class Transfer:
    """Moves the configuration of an installation to another one."""

    def __init__(
        self,
        storage: Storage,
        streamers: Streamers,
        clock: Callable[[], datetime],
        *,
        allow_private: bool,
    ) -> None:
        """`allow_private` lets notifications have targets in private networks."""
        self._storage = storage
        self._store = storage.notifications
        self._streamers = streamers
        self._clock = clock
        self._allow_private = allow_private

    def export(self, *, secrets: bool) -> Document:
        """The export, with or without the URLs and the signing secrets of notifications."""
        return export_document(self._streamers.all(), self._store.all(), secrets=secrets)

    def load(self, document: Any, guard: ImportGuard = lambda _: nullcontext()) -> Imported:
        """Import an export: add the streamers and notifications that are missing. What exists does
        not change. Streamers without a user id are looked up at Twitch; if there are any, the
        streamers are added within `guard(n)`, where n is their number.

        Raises InvalidExport and TooManyNotifications before anything has changed.
        """
        export = parse_export(document, self._clock(), allow_private=self._allow_private)
        known = {notification.id for notification in self._store.all()}
        new = [each for each in export.notifications if each.id not in known]
        if len(known) + len(new) > MAX_NOTIFICATIONS:
            raise TooManyNotifications(MAX_NOTIFICATIONS)
        # Entered before anything changes: it may refuse the import.
        with guard(len(export.logins)) if export.logins else nullcontext():
            result = self._add_streamers(export)
        for notification in new:
            if self._store.add(_with_secret(notification), MAX_NOTIFICATIONS):
                result.notifications.append(notification.id)
        return result

    def _add_streamers(self, export: Export) -> Imported:
        given = self._streamers.add_known(export.streamers)
        try:
            found = self._streamers.add_many(export.logins)
        except (TwitchDenied, TwitchNotConfigured):
            found = self._known_or_failed(export.logins)
        return Imported(
            added=given.added + found.added,
            existing=given.existing + found.existing,
            not_found=found.not_found,
            failed=given.failed + found.failed,
        )

    def _known_or_failed(self, logins: Sequence[str]) -> BulkAdded:
        """The result for logins that cannot be looked up."""
        known = self._storage.find_streamers(logins)
        return BulkAdded(
            existing=[login for login in logins if login in known],
            failed=[login for login in logins if login not in known],
        )


def _with_secret(notification: Notification) -> Notification:
    """Add a signing secret to a webhook without one. A user gets a known one by rotating it."""
    if notification.kind is not TargetKind.WEBHOOK or notification.secrets:
        return notification
    return replace(notification, secrets=(SigningSecret(new_secret()),))
