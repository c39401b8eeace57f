"""Get Users, and the checks of names that every item with a user needs."""

from streamwatch.domain.eventsub import LOGIN
from streamwatch.domain.models import User
from streamwatch.twitch.calls import Response
from streamwatch.twitch.parsing.documents import (
    ID,
    MAX_NAME_LENGTH,
    URL,
    Document,
    Shape,
    check,
    document_of,
    readable_items,
)

_USER: Shape = dict.fromkeys(("id", "login", "display_name"), str)


def parse_users(response: Response) -> list[User]:
    return readable_items(document_of(response), _user)


def check_names(user_id: str, login: str, display_name: str) -> None:
    """Refuse names that could not be stored or shown."""
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
        raise ValueError("profile_image_url is not a string")  # noqa: TRY004  one error for every broken promise
    check_names(item["id"], item["login"], item["display_name"])
    is_usable = image_url is not None and URL.fullmatch(image_url)
    return User(
        item["id"], item["login"].lower(), item["display_name"], image_url if is_usable else None
    )
