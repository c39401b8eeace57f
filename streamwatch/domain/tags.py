"""The tags that an operator gives streamers. Pure functions."""

import re
from collections.abc import Collection

MAX_TAGS = 20
TAG = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
NOT_A_TAG = "Not a tag: 1 to 32 of the characters a-z, 0-9, _ and -."


class InvalidTags(Exception):
    """A streamer cannot have these tags. The message says why."""


def normalized(tags: Collection[str]) -> tuple[str, ...]:
    """The tags sorted, each once. Raises InvalidTags."""
    if len(tags) > MAX_TAGS:
        raise InvalidTags(f"{len(tags)} tags: a streamer has at most {MAX_TAGS}.")
    for tag in tags:
        if not TAG.fullmatch(tag):
            raise InvalidTags(f"{tag[:64]!r}: {NOT_A_TAG}")
    return tuple(sorted(set(tags)))
