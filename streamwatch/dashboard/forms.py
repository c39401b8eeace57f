"""Parsing of forms and queries that several pages share."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote_plus

from flask import request

from streamwatch.api.context import client_address, services
from streamwatch.dashboard.login_session import current_session
from streamwatch.domain.logins import MAX_LOGINS_AT_ONCE, login_from, split_entries

Item = TypeVar("Item")

_NAMED = 20
"""Entries that a result lists at most; the others are counted."""

_NAMED_CHARACTERS = 40
"""Characters of each listed entry. Escaped in a URL they have at most 480 bytes, so that the first
entry always fits into _NAMED_BYTES."""

_NAMED_BYTES = 500
"""The listed entries of one outcome, escaped in a URL. gunicorn accepts a request line of 4,094
bytes, and a result has at most six outcomes."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list: its `items`, the list's `count`, and page `number` of `pages`, from 1."""

    items: Sequence[Item]
    count: int
    number: int
    pages: int
    first: int = 1
    """The position of the first of `items` in the list, from 1."""


def page_of(items: Sequence[Item], size: int) -> Page[Item]:
    """The page of `items` that the query's `page` asks for; the last page if it is beyond."""
    pages = max(1, -(-len(items) // size))
    number = min(max(request.args.get("page", 1, int), 1), pages)
    start = (number - 1) * size
    return Page(items[start : start + size], len(items), number, pages, start + 1)


def add_streamers_from(text: str) -> dict[str, str]:
    """Monitor the streamers in a text of logins or channel URLs with spaces, commas or line breaks
    between them, at most MAX_LOGINS_AT_ONCE. Returns the result by outcome, as query parameters
    for a redirect: see `add_result`. Raises TwitchError as `add_many` does."""
    return summarized_outcomes(add_outcomes(text))


def add_outcomes(text: str) -> dict[str, Sequence[str]]:
    """As `add_streamers_from`, but returns the entries themselves."""
    entries = split_entries(text)
    accepted, surplus = entries[:MAX_LOGINS_AT_ONCE], entries[MAX_LOGINS_AT_ONCE:]
    logins = [login for entry in accepted if (login := login_from(entry))]
    with lookup(len(logins)):
        result = services().streamers.add_many(logins)
    return {
        "added": result.added,
        "existing": result.existing,
        "not_found": result.not_found,
        "failed": result.failed,
        "invalid": [entry for entry in accepted if login_from(entry) is None],
        "surplus": surplus,
    }


def summarized_outcomes(outcomes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each outcome that has entries, with their text."""
    return {name: summarized(entries) for name, entries in outcomes.items() if entries}


def lookup(logins: int = 1) -> AbstractContextManager[None]:
    """The context in which `logins` logins are looked up at Twitch for this visitor. All login
    sessions together are one client."""
    is_logged_in = current_session(services().settings) is not None
    client = "key:dashboard" if is_logged_in else client_address()
    return services().rate_limits.lookup(client, logins)


def add_result() -> dict[str, str]:
    """The result of `add_streamers_from`, or of an import, in the query of the redirect."""
    names = ("added", "existing", "not_found", "failed", "invalid", "surplus", "notifications")
    return {name: value for name in names if (value := request.args.get(name, ""))}


def summarized(entries: Sequence[str]) -> str:
    """The first of `entries`, as many as fit into the URL of a redirect, and the number of the
    others. Long entries are cut."""
    named = [entry[:_NAMED_CHARACTERS] for entry in entries[:_NAMED]]
    while len(quote_plus(", ".join(named))) > _NAMED_BYTES:
        named.pop()
    text, others = ", ".join(named), len(entries) - len(named)
    return f"{text} and {others:,} more" if others else text
