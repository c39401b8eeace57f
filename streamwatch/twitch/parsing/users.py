"""Get Users, and the checks of names that every item with a user needs."""

from collections.abc import Collection
from typing import Any

from streamwatch.domain.eventsub import ID, LOGIN
from streamwatch.domain.models import User
from streamwatch.twitch.base import FoundUsers
from streamwatch.twitch.calls import Response
from streamwatch.twitch.parsing.documents import (
    MAX_NAME_LENGTH,
    URL,
    Document,
    Shape,
    check,
    document_of,
    items_of,
    log_faults,
)

_USER: Shape = dict.fromkeys(("id", "login", "display_name"), str)


def parse_users(response: Response, asked: Collection[tuple[str, str]]) -> FoundUsers:
    """The users of `asked`, which are pairs like ("login", "ann") and ("id", "1"). A malformed
    item, or one of a user who was not asked for, may belong to any login without another item."""
    found: dict[str, User] = {}
    unmatched_items: list[Any] = []
    faults: list[str] = []
    for item in items_of(document_of(response)):
        try:
            user = _user(item)
            if ("login", user.login) not in asked and ("id", user.user_id) not in asked:
                raise ValueError("a user was not asked for")  # noqa: TRY301  one list of faults
        except ValueError as fault:
            faults.append(str(fault))
            unmatched_items.append(item)
        else:
            found[user.user_id] = user
    if faults and not found:
        raise ValueError(faults[0])
    log_faults(faults)
    missing = {value for name, value in asked if name == "login"}
    missing -= {user.login for user in found.values()}
    unreadable = {login for item in unmatched_items for login in _logins_of(item, missing)}
    return FoundUsers(tuple(found.values()), frozenset(unreadable))


def _logins_of(item: Any, missing: Collection[str]) -> Collection[str]:
    """Which of the `missing` logins a malformed item may belong to."""
    login = item.get("login") if isinstance(item, dict) else None
    return {login.lower()} if isinstance(login, str) and login.lower() in missing else missing


def check_names(user_id: str, login: str, display_name: str) -> None:
    """Raise ValueError for names that cannot be stored or shown."""
    if not ID.fullmatch(user_id):
        raise ValueError("a user id is malformed")
    if not LOGIN.fullmatch(login):
        raise ValueError("a login is malformed")
    if not 0 < len(display_name) <= MAX_NAME_LENGTH or not display_name.isprintable():
        raise ValueError("a display name is malformed")


def _user(item: Document) -> User:
    check(item, _USER)
    image_url = item.get("profile_image_url")
    if not isinstance(image_url, str | None):
        raise ValueError("profile_image_url is not a string")  # noqa: TRY004  one error for every malformed field
    check_names(item["id"], item["login"], item["display_name"])
    is_usable = image_url is not None and URL.fullmatch(image_url)
    return User(
        item["id"], item["login"].lower(), item["display_name"], image_url if is_usable else None
    )
