"""Checks the settings that a user gives a notification, and converts them to its fields."""

from collections.abc import Iterable, Mapping
from typing import Any

from streamwatch.domain.logins import login_from
from streamwatch.domain.notifications.documents import fields_from
from streamwatch.domain.notifications.models import Notification, TargetKind, WatchedStreamer
from streamwatch.domain.notifications.validation import (
    InvalidNotification,
    check,
    default_name,
)
from streamwatch.services.notifications.addresses import AddressPolicy
from streamwatch.services.notifications.targets import check_target
from streamwatch.storage.base import Storage
from streamwatch.twitch.base import Twitch, TwitchUnavailable


class GivenSettings:
    """Checks settings, also whether their hosts are allowed and their streamers exist."""

    def __init__(self, storage: Storage, twitch: Twitch, policy: AddressPolicy) -> None:
        self._storage = storage
        self._twitch = twitch
        self._policy = policy

    def checked(self, settings: Mapping[str, Any], known: Notification | None) -> Mapping[str, Any]:
        """The settings, with a name. Whether a URL is allowed is checked when it changes, so that a
        notification whose URL is no longer allowed can be switched off. Raises
        InvalidNotification."""
        settings = dict(settings)
        is_named = settings.get("name") is not None
        is_new_url = known is None or known.url != settings["url"]
        check(
            settings | ({} if is_named else {"name": "by default"}),
            allow_private=self._policy.allow_private or not is_new_url,
        )
        kind, url = TargetKind(settings["kind"]), settings["url"]
        if is_new_url:
            check_target(kind, url, self._policy)
        return settings if is_named else settings | {"name": default_name(kind, url)}

    def fields(
        self, settings: Mapping[str, Any], known: Notification | None = None
    ) -> dict[str, Any]:
        """The fields of a notification that `settings` give. Raises InvalidNotification for
        a login that Twitch does not know."""
        return {
            **fields_from(settings),
            "url": settings["url"],
            "enabled": settings["enabled"],
            "streamers": self._streamers(settings["streamers"], known),
        }

    def _streamers(
        self, given: Iterable[str], known: Notification | None
    ) -> tuple[WatchedStreamer, ...]:
        """The streamers with these logins: from the notification itself, from the monitored
        streamers, and the others from Twitch."""
        given = list(given)
        logins = list(dict.fromkeys(filter(None, map(login_from, given))))
        faulty = [text for text in given if login_from(text) is None]
        if faulty:
            raise InvalidNotification({"streamers": f"Not a login: {faulty[0]!r}."})
        found = {} if known is None else self._known_streamers(known)
        found |= {
            login: WatchedStreamer(streamer.user_id, login)
            for login, streamer in self._storage.find_streamers(logins).items()
        }
        unknown = [login for login in logins if login not in found]
        if unknown:
            answer = self._twitch.users(logins=unknown)
            if answer.unreadable:
                raise TwitchUnavailable(
                    f"Twitch's response about {min(answer.unreadable)!r} could not be read."
                )
            found |= {
                user.login: WatchedStreamer(user.user_id, user.login) for user in answer.users
            }
        missing = [login for login in logins if login not in found]
        if missing:
            raise InvalidNotification({"streamers": f"Twitch has no user {missing[0]!r}."})
        return tuple(found[login] for login in logins)

    def _known_streamers(self, known: Notification) -> dict[str, WatchedStreamer]:
        logins = self.logins([known])
        return {logins.get(s.user_id, s.login): s for s in known.streamers}

    def logins(self, notifications: Iterable[Notification]) -> dict[str, str]:
        """The current logins of the streamers in filters who are monitored, by user id."""
        user_ids = {s.user_id for each in notifications for s in each.streamers}
        if not user_ids:
            return {}
        found = self._storage.streamers_by_id(user_ids)
        return {user_id: streamer.login for user_id, streamer in found.items()}
