"""Twitch logins as people write them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_LOGINS_AT_ONCE = 1000
"""How many streamers one request or form may add."""

NOT_A_LOGIN = "Not a login: 1 to 25 letters, digits or _."

_PASTED = re.compile(
    r"(?:@|(?:https?://)?(?:www\.|m\.)?twitch\.tv/)?([a-z0-9_]{1,25})/?(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)


def login_from(text: str) -> str | None:
    """The login in `shroud`, `@shroud`, `twitch.tv/shroud` or `https://www.twitch.tv/shroud`, in
    lower case; None for any other text."""
    match = _PASTED.fullmatch(text.strip())
    return match[1].lower() if match else None


@dataclass(frozen=True, slots=True)
class LoginLines:
    """The distinct logins of a text, and a sentence for each line that cannot be used."""

    logins: list[str]
    faults: list[str]


def logins_of_lines(lines: Iterable[str]) -> LoginLines:
    """The logins in lines with one or several each. A line with anything else is left out."""
    logins: dict[str, None] = {}
    faults = []
    for number, line in enumerate(lines, 1):
        entries = split_entries(line)
        unusable = [entry for entry in entries if login_from(entry) is None]
        if unusable:
            faults.append(f"Line {number}: {unusable[0][:60]!r}: {NOT_A_LOGIN}")
        else:
            logins |= dict.fromkeys(filter(None, map(login_from, entries)))
    return LoginLines(list(logins), faults)


def split_entries(text: str) -> list[str]:
    """The distinct entries of a text with spaces, commas, semicolons or line breaks between
    them."""
    return list(dict.fromkeys(entry for entry in re.split(r"[\s,;]+", text) if entry))
