"""Finds environment variables whose name looks like a misspelling of one of ours."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from streamwatch.settings.variables import COMPOSE_VARIABLES, VARIABLES

_SIMILARITY = 0.88
"""The least ratio of difflib that counts as a misspelling: one or two wrong or swapped letters."""

_SHORTEST = 6
"""The length of the shortest name that is checked: GHOST, for instance, resembles HOST."""


def misspelled(names: Iterable[str]) -> Iterator[str]:
    """A warning for each name that is not a setting, but is similar to one."""
    known = VARIABLES.keys() | COMPOSE_VARIABLES
    for name in sorted(set(names) - known):
        nearest = get_close_matches(name.upper(), known, n=1, cutoff=_SIMILARITY)
        if nearest and len(name) >= _SHORTEST:
            yield f"{name} is not a setting of StreamWatch. Did you mean {nearest[0]}?"
