"""Conduits and their shards."""

from dataclasses import dataclass

from streamwatch.domain.eventsub import ID
from streamwatch.twitch.base import Conduit, Shard
from streamwatch.twitch.calls import Response
from streamwatch.twitch.parsing.documents import (
    MAX_NAME_LENGTH,
    Document,
    check,
    check_text,
    cursor_of,
    document_of,
    items_of,
)


@dataclass(frozen=True, slots=True)
class ShardPage:
    """One page of a conduit's shards; `cursor` is None on the last page."""

    shards: list[Shard]
    cursor: str | None


def parse_conduits(response: Response) -> list[Conduit]:
    """All conduits. A malformed one is not left out: StreamWatch would create another for it."""
    return [_conduit(item) for item in items_of(document_of(response))]


def parse_created_conduit(response: Response) -> Conduit:
    items = parse_conduits(response)
    if not items:
        raise ValueError("no conduit")
    return items[0]


def parse_shard_page(response: Response) -> ShardPage:
    document = document_of(response)
    return ShardPage([_shard(item) for item in items_of(document)], cursor_of(document))


def parse_shard_errors(response: Response) -> list[str]:
    """The error codes in a response to Update Conduit Shards: its 202 can hold failures."""
    errors = document_of(response).get("errors") or []
    if not isinstance(errors, list):
        raise ValueError("errors is not a list")  # noqa: TRY004  one error for every malformed field
    codes = [error.get("code") if isinstance(error, dict) else error for error in errors]
    return [code[:64] if isinstance(code, str) and code.isprintable() else "?" for code in codes]


def _conduit(item: Document) -> Conduit:
    check(item, {"id": str, "shard_count": int})
    if not ID.fullmatch(item["id"]):
        raise ValueError("a conduit id is malformed")
    return Conduit(item["id"], item["shard_count"])


def _shard(item: Document) -> Shard:
    check(item, {"id": str, "status": str})
    for name in ("id", "status"):
        check_text(item[name], name, MAX_NAME_LENGTH)
    return Shard(item["id"], item["status"])
