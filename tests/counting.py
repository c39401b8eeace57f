"""How often Redis is asked."""

from typing import Any

import redis


class CountingConnection(redis.Connection):
    """Counts what is sent: a pipeline is sent at once."""

    sent = 0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        CountingConnection.sent += 1
        send: Any = super().send_packed_command  # which has no types
        send(command, check_health)
