"""The stored forms of the models: JSON as bytes. Some values have a first line that scripts compare
without decoding JSON, which contains no line feeds.

`…_value` functions write and `read_…` functions read. Values that earlier versions of StreamWatch
wrote must remain readable.
"""

from streamwatch.storage.redis.codec.coordination import (
    job_value,
    lease_value,
    metrics_value,
    milliseconds,
    read_job,
    read_lease,
    read_metrics,
    read_time,
    read_token,
    token_value,
)
from streamwatch.storage.redis.codec.events import (
    event_value,
    failure_value,
    history_start,
    history_value,
    read_dead_letter,
    read_event,
    read_history_event,
    read_record,
    record_value,
)
from streamwatch.storage.redis.codec.reading import microseconds, time_from
from streamwatch.storage.redis.codec.statuses import (
    lookup_value,
    read_lookup,
    read_status,
    status_value,
)
from streamwatch.storage.redis.codec.streamers import (
    read_streamer,
    streamer_value,
    unversioned_streamer_value,
)

__all__ = [
    "event_value",
    "failure_value",
    "history_start",
    "history_value",
    "job_value",
    "lease_value",
    "lookup_value",
    "metrics_value",
    "microseconds",
    "milliseconds",
    "read_dead_letter",
    "read_event",
    "read_history_event",
    "read_job",
    "read_lease",
    "read_lookup",
    "read_metrics",
    "read_record",
    "read_status",
    "read_streamer",
    "read_time",
    "read_token",
    "record_value",
    "status_value",
    "streamer_value",
    "time_from",
    "token_value",
    "unversioned_streamer_value",
]
