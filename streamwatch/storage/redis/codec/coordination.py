"""The stored forms of leases, runs of jobs, published metrics and the app token."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from streamwatch.domain.models import AppToken
from streamwatch.domain.times import format_time
from streamwatch.storage.base import JobRun, Lease
from streamwatch.storage.redis.codec.reading import Document, reader


def milliseconds(seconds: float) -> int:
    """An expiry for Redis: at least 1, because Redis does not accept 0."""
    return max(1, int(seconds * 1000))


def lease_value(lease: Lease) -> str:
    return f"{lease.fence}\n{lease.holder}"


@reader
def read_lease(name: str, value: bytes) -> Lease:
    fence, holder = value.decode().split("\n", 1)
    return Lease(name, holder, int(fence))


def job_value(run: JobRun) -> bytes:
    return orjson.dumps(
        {
            "started_at": format_time(run.started_at),
            "seconds": run.seconds,
            "error": run.error,
        }
    )


@reader
def read_job(name: bytes, value: bytes) -> JobRun:
    document: Document = orjson.loads(value)
    return JobRun(
        name=name.decode(),
        started_at=datetime.fromisoformat(document["started_at"]),
        seconds=document["seconds"],
        error=document["error"],
    )


@reader
def read_time(value: bytes) -> datetime:
    return datetime.fromisoformat(value.decode())


def metrics_value(values: Mapping[str, float]) -> bytes:
    return orjson.dumps(dict(values))


@reader
def read_metrics(value: bytes) -> dict[str, float]:
    return {name: float(metric) for name, metric in orjson.loads(value).items()}


def token_value(token: AppToken) -> bytes:
    return orjson.dumps({"value": token.value, "expires_at": format_time(token.expires_at)})


@reader
def read_token(value: bytes) -> AppToken:
    document: Document = orjson.loads(value)
    return AppToken(document["value"], datetime.fromisoformat(document["expires_at"]))
