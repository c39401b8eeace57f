"""Twitch logins as people write them."""

import re

_PASTED = re.compile(
    r"(?:@|(?:https?://)?(?:www\.|m\.)?twitch\.tv/)?([a-z0-9_]{1,25})/?(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)


def login_from(text: str) -> str | None:
    """The login in `shroud`, `@shroud`, `twitch.tv/shroud` or `https://www.twitch.tv/shroud`, in
    lower case; None for any other text."""
    match = _PASTED.fullmatch(text.strip())
    return match[1].lower() if match else None
