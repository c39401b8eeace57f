"""The names of the keys in Redis. The hash tag puts all keys into one slot of a Redis Cluster, so
that a script can use any of them. The scripts describe the type and content of each key."""

from streamwatch.domain.models import EventType

PREFIX = "{streamwatch}:"


def key(name: str) -> str:
    return PREFIX + name


STREAMERS = key("streamers")
LOGINS = key("logins")
STATUS = key("status")
LIVE = key("live")
AWAITING = key("awaiting")
EVENTS = key("events")
FEED = key("feed")
JOBS = key("jobs")
JOB_REQUESTS = key("job-requests")
HEARTBEAT = key("heartbeat")
WORKER_ALIVE = key("worker-alive")
COUNTS = key("counts")
APP_TOKEN = key("app-token")
CONDUIT = key("conduit")
WEBHOOK_CALLBACKS = key("webhook-callbacks")
PING = key("ping")

CHANGES_CHANNEL = key("changes")
"""The Pub/Sub channel of changes. Because of the hash tag, subscribers in a Cluster connect to the
node that publishes."""


def seen(message_id: str) -> str:
    return key(f"seen:{message_id}")


def removed(user_id: str) -> str:
    return key(f"removed:{user_id}")


def hidden_status(user_id: str) -> str:
    return key(f"hidden-status:{user_id}")


def events_of_type(event_type: EventType) -> str:
    return key(f"events:type:{event_type}")


def events_of_streamer(user_id: str) -> str:
    return key(f"events:streamer:{user_id}")


def lookup(login: str) -> str:
    return key(f"lookup:{login}")


def dead_letters(reader: str) -> str:
    return key(f"set-aside:{reader}")


def published(name: str) -> str:
    return key(f"published:{name}")


def window(name: str) -> str:
    return key(f"uses:{name}")


def lease(name: str) -> str:
    return key(f"lease:{name}")


def fence(name: str) -> str:
    return key(f"fence:{name}")
