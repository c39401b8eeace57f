"""A redis-py connection that counts round trips."""

from typing import Any

import redis


class CountingConnection(redis.Connection):
    """Counts the packets that are sent: a pipeline counts once, whatever its length."""

    sent = 0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        CountingConnection.sent += 1
        send: Any = super().send_packed_command  # which has no types
        send(command, check_health)
