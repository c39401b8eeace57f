"""The stored form of a monitored streamer: lines with the login, the JSON and the version.

StreamWatch 0.1 wrote no version; such a record has version 1.
"""

from datetime import datetime

import orjson

from streamwatch.domain.models import Streamer
from streamwatch.domain.times import format_time
from streamwatch.storage.redis.codec.reading import Document, optional_time, reader


def streamer_value(streamer: Streamer) -> bytes:
    return b"%b%d" % (unversioned_streamer_value(streamer), streamer.version)


def unversioned_streamer_value(streamer: Streamer) -> bytes:
    """The value without the version, which the script that adds the streamer appends."""
    document = {
        "user_id": streamer.user_id,
        "username": streamer.login,
        "display_name": streamer.display_name,
        "profile_image_url": streamer.profile_image_url,
        "is_active": streamer.is_active,
        "online_subscription_id": streamer.online_subscription_id,
        "offline_subscription_id": streamer.offline_subscription_id,
        "update_subscription_id": streamer.update_subscription_id,
        "added_at": format_time(streamer.added_at),
        "signed_with": streamer.signed_with,
        "named_at": format_time(streamer.named_at) if streamer.named_at else None,
        "tags": list(streamer.tags),
    }
    return b"%b\n%b\n" % (streamer.login.encode(), orjson.dumps(document))


@reader
def read_streamer(value: bytes) -> Streamer:
    _, json, *version = value.split(b"\n")
    document: Document = orjson.loads(json)
    return Streamer(
        user_id=document["user_id"],
        login=document["username"],
        display_name=document["display_name"],
        added_at=datetime.fromisoformat(document["added_at"]),
        online_subscription_id=document["online_subscription_id"],
        offline_subscription_id=document["offline_subscription_id"],
        update_subscription_id=document.get("update_subscription_id"),
        signed_with=document.get("signed_with"),
        profile_image_url=document.get("profile_image_url"),
        named_at=optional_time(document.get("named_at")),
        version=int(version[0]) if version else 1,
        tags=tuple(document.get("tags", ())),
    )
