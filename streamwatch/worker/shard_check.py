"""Checks that Twitch still delivers to the conduit's shard."""

import logging
import threading
import time

from streamwatch.services.subscriptions.conduit import SHARD_ID, OwnConduit
from streamwatch.storage.base import StorageError
from streamwatch.twitch.base import ConnectionLost, Shard, TwitchError

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0
"""How often Twitch is asked whether the conduit exists and its shard is enabled."""


class ShardCheck:
    """Asks Twitch every CHECK_SECONDS, in a thread of its own, whether the shard is enabled."""

    def __init__(self, conduit: OwnConduit) -> None:
        self._conduit = conduit
        self._due_at = time.monotonic() + CHECK_SECONDS
        self._fault: str | None = None

    def raise_or_start(self) -> None:
        """Raise ConnectionLost if the last check found a fault; start another if it is due."""
        if self._fault is not None:
            raise ConnectionLost(self._fault)
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + CHECK_SECONDS
            threading.Thread(target=self._check, name="check-shard", daemon=True).start()

    def _check(self) -> None:
        try:
            shards = self._conduit.shards()
        except (TwitchError, StorageError) as error:
            log.info("The conduit could not be checked: %s", error)
            return
        self._fault = _fault_of(shards)


def _fault_of(shards: list[Shard] | None) -> str | None:
    if shards is None:
        return "Twitch no longer has the conduit."
    status = next((shard.status for shard in shards if shard.id == SHARD_ID), "missing")
    return None if status == "enabled" else f"Twitch reports the conduit's shard as {status}."
