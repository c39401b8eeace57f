"""The limit of open files and connections of a process."""

import resource
from contextlib import suppress


def raise_open_files(wanted: int) -> int:
    """Raise the limit to `wanted`, as far as the system allows, and return it. Many systems have
    1,024 as the default and allow thousands."""
    current, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
    if current < possible:
        with suppress(OSError, ValueError):  # a unit of systemd may not allow the system call
            resource.setrlimit(resource.RLIMIT_NOFILE, (possible, allowed))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
