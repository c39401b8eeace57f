"""What comes with a request and more than one page understands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request

from streamwatch.api.context import services
from streamwatch.domain.eventsub import LOGIN

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of `count` items, on page `number` of `pages`, from 1."""

    items: Sequence[Item]
    count: int
    number: int
    pages: int


def page_of(items: Sequence[Item], size: int) -> Page[Item]:
    """The page of `items` that the request asks for with `page`; the last for one beyond."""
    pages = max(1, -(-len(items) // size))
    number = min(max(request.args.get("page", 1, int), 1), pages)
    return Page(items[(number - 1) * size : number * size], len(items), number, pages)


def added_streamers() -> dict[str, Any]:
    """Monitor the streamers whose names were typed, with anything between them; what came of it,
    for `added.html`."""
    typed = re.split(r"[\s,;]+", request.form.get("logins", ""))
    names = [name.removeprefix("@") for name in typed if name]
    logins = [name for name in names if LOGIN.fullmatch(name)]
    return {
        "added": services().streamers.add_many(logins),
        "invalid_logins": [name for name in names if name not in logins],
    }
