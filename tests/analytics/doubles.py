"""mongomock with the current pymongo."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import mongomock
from mongomock.collection import BulkOperationBuilder


@contextmanager
def mongomock_client() -> Iterator[Any]:
    """A client of a MongoDB in memory. mongomock 4.3 does not know the keywords of bulk writes that
    pymongo 4.20 passes with empty values: they are left out."""
    with (
        patch.object(BulkOperationBuilder, "add_update", _without_empty("add_update")),
        patch.object(BulkOperationBuilder, "add_replace", _without_empty("add_replace")),
    ):
        yield mongomock.MongoClient(tz_aware=True)


def _without_empty(name: str) -> Any:
    original = getattr(BulkOperationBuilder, name)

    def method(builder: Any, *arguments: Any, **keywords: Any) -> Any:
        given = {key: value for key, value in keywords.items() if value is not None}
        return original(builder, *arguments, **given)

    return method
