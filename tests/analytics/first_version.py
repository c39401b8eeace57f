"""What version 0.1.0 stored: `data/` was written by its code (commit 2b8d2f7)."""

import gzip
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo.database import Database

DATA = Path(__file__).parent / "data"


def restore(database: Database[dict[str, Any]]) -> None:
    """Fill an empty database with the documents and indexes of version 0.1.0."""
    dump = json_util.loads(gzip.decompress((DATA / "mongodb-0.1.0.json.gz").read_bytes()))
    indexes = dump.pop("indexes")
    for name, documents in dump.items():
        database[name].insert_many(documents)
        for index in indexes[name].values():
            if index["key"] != [["_id", 1]]:
                options = {"expireAfterSeconds": index.get("expireAfterSeconds")}
                given = {key: value for key, value in options.items() if value is not None}
                database[name].create_index([tuple(pair) for pair in index["key"]], **given)


def journal() -> bytes:
    """The file of the embedded analytics."""
    return gzip.decompress((DATA / "analytics-0.1.0.jsonl.gz").read_bytes())
