"""The server's version and risky settings, read from INFO."""

from collections.abc import Mapping
from typing import Any

from streamwatch.storage.base import UnsupportedStorage

MIN_VERSIONS = {"Redis": (7, 0), "Valkey": (7, 2)}
"""The oldest supported version, by the name of the server."""

Info = Mapping[str, Any]
"""A section of INFO, by field."""


def server_name(info: Info) -> str:
    """Name and version, for example "Valkey 8.1.0"; "" if INFO has no version."""
    name, version = _server(info)
    return f"{name} {version}" if version else ""


def require_supported_version(info: Info) -> None:
    """Raise UnsupportedStorage if the server is too old. An unknown version is accepted."""
    name, version = _server(info)
    parts = version.split(".")[:2]
    if not all(part.isdecimal() for part in parts):
        return
    if tuple(map(int, parts)) < MIN_VERSIONS[name]:
        least = " or ".join(f"{kind} {a}.{b}" for kind, (a, b) in MIN_VERSIONS.items())
        raise UnsupportedStorage(f"{name} {version} is too old: at least {least} is needed")


def risks(persistence: Info, memory: Info) -> tuple[str, ...]:
    """Sentences about settings that put the data at risk, each with the setting to change."""
    found = []
    if persistence.get("aof_enabled") == 0:
        found.append("appendonly is no: a crash loses the last minutes (set appendonly yes)")
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"maxmemory-policy is {policy}: a full server deletes data"
            " (set maxmemory-policy noeviction)"
        )
    return tuple(found)


def _server(info: Info) -> tuple[str, str]:
    if "valkey_version" in info:
        return "Valkey", str(info["valkey_version"])
    return "Redis", str(info.get("redis_version", ""))
