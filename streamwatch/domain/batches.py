"""Splits work into batches."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of `size`, the last one as long as what is left.

    `itertools.batched` of Python 3.12, in lists.
    """
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
