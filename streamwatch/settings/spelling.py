"""Finds environment variables whose name looks like a misspelling of one of ours."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from streamwatch.settings.variables import COMPOSE_VARIABLES, VARIABLES

_SIMILARITY = 0.88
"""As difflib's ratio: one or two wrong letters, or two letters exchanged."""

_SHORTEST = 6
"""Shorter names resemble too many others, as HOST and GHOST."""


def misspelled(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each name that is not ours and nearly is."""
    ours = VARIABLES.keys() | COMPOSE_VARIABLES
    for name in sorted(set(names) - ours):
        nearest = get_close_matches(name.upper(), ours, n=1, cutoff=_SIMILARITY)
        if nearest and len(name) >= _SHORTEST:
            yield f"{name} is not a setting of StreamWatch. Did you mean {nearest[0]}?"
