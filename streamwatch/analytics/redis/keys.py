"""The keys. All have one hash tag, so that a Cluster has them in one slot.

| key | type | what |
|-----|------|------|
| `versions`, `states`, `stats` | hash by user id | the version, the state, the statistics |
| `login:LOGIN` | set | the ids of users who were observed under a login |
| `sessions` | hash by stream id | sessions |
| `sessions:USER` | sorted set of stream ids | a streamer's sessions by their start |
| `ends` | sorted set of stream ids | all sessions by their end, +inf while ongoing |
| `events:USER` | hash by event id | a streamer's events |
| `samples:STREAM` | string | a stream's samples: see `samples` |
| `sampled`, `sampled:USER` | sorted set of stream ids | streams by their last sample |
| `first-sampled` | sorted set of stream ids | streams by their first sample |
"""

PREFIX = "{streamwatch-analytics}:"

VERSIONS, STATES, STATS = f"{PREFIX}versions", f"{PREFIX}states", f"{PREFIX}stats"
SESSIONS, ENDS, SAMPLED = f"{PREFIX}sessions", f"{PREFIX}ends", f"{PREFIX}sampled"
FIRST_SAMPLED = f"{PREFIX}first-sampled"


def login(name: str) -> str:
    return f"{PREFIX}login:{name}"


def sessions_of(user_id: str) -> str:
    return f"{SESSIONS}:{user_id}"


def events(user_id: str) -> str:
    return f"{PREFIX}events:{user_id}"


def samples(stream_id: str) -> str:
    return f"{PREFIX}samples:{stream_id}"


def sampled_of(user_id: str) -> str:
    return f"{SAMPLED}:{user_id}"
