"""The names of what is kept in Redis. The hash tag puts all of it into one slot of a Redis Cluster,
so that one script may touch any of it; the shape of each is written above the scripts."""

from streamwatch.domain.models import EventType

PREFIX = "{streamwatch}:"


def key(*parts: str) -> str:
    return PREFIX + ":".join(parts)


STREAMERS = key("streamers")
LOGINS = key("logins")
STATUS = key("status")
LIVE = key("live")
AWAITING = key("awaiting")
EVENTS = key("events")
FEED = key("feed")
JOBS = key("jobs")
REQUESTED_JOBS = key("requested-jobs")
HEARTBEAT = key("heartbeat")
COUNTS = key("counts")
APP_TOKEN = key("app-token")
PING = key("ping")


def seen(message_id: str) -> str:
    return key("seen", message_id)


def removed(user_id: str) -> str:
    return key("removed", user_id)


def events_of_type(event_type: EventType) -> str:
    return key("events", "type", event_type)


def events_of_streamer(user_id: str) -> str:
    return key("events", "streamer", user_id)


def lookup(login: str) -> str:
    return key("lookup", login)


def set_aside(reader: str) -> str:
    return key("set-aside", reader)


def published(topic: str) -> str:
    return key("published", topic)


def uses(name: str) -> str:
    return key("uses", name)


def changes(topic: str) -> str:
    return key("changes", topic)


def lease(name: str) -> str:
    return key("lease", name)


def fence(name: str) -> str:
    return key("fence", name)


LIVE_CHANGES = changes("live")
