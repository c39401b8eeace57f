"""The stored form of a monitored streamer: the login on a line of its own, then JSON."""

from datetime import datetime

import orjson

from streamwatch.domain.models import Streamer
from streamwatch.domain.times import format_time
from streamwatch.storage.redis.codec.reading import Document, reader


def streamer_value(streamer: Streamer) -> bytes:
    document = {
        "user_id": streamer.user_id,
        "username": streamer.login,
        "display_name": streamer.display_name,
        "is_active": streamer.is_active,
        "online_subscription_id": streamer.online_subscription_id,
        "offline_subscription_id": streamer.offline_subscription_id,
        "update_subscription_id": streamer.update_subscription_id,
        "added_at": format_time(streamer.added_at),
        "signed_with": streamer.signed_with,
    }
    return streamer.login.encode() + b"\n" + orjson.dumps(document)


@reader
def read_streamer(value: bytes) -> Streamer:
    document: Document = orjson.loads(value.split(b"\n")[-1])
    return Streamer(
        user_id=document["user_id"],
        login=document["username"],
        display_name=document["display_name"],
        added_at=datetime.fromisoformat(document["added_at"]),
        online_subscription_id=document["online_subscription_id"],
        offline_subscription_id=document["offline_subscription_id"],
        update_subscription_id=document.get("update_subscription_id"),
        signed_with=document.get("signed_with"),
    )
