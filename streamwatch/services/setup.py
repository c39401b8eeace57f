"""First-run set-up: the Twitch credentials that are entered in the browser."""

from collections.abc import Callable
from enum import StrEnum

CredentialFunction = Callable[[str, str], None]
"""Takes a client id and a client secret."""


class CredentialSource(StrEnum):
    """Where the Twitch credentials of this process come from."""

    NONE = "none"
    PENDING = "pending"
    """Stored since this process started; it is about to be replaced by one that uses them."""
    STORED = "stored"
    ENVIRONMENT = "environment"
    """They take precedence over stored ones."""


class Setup:
    """Checks Twitch credentials and stores them in DATA_DIR.

    `check` raises TwitchError for credentials that Twitch refuses. `store` raises OSError; it is
    None where credentials cannot be stored, because the storage is not embedded. `is_stored` looks
    whether there are stored credentials.
    """

    def __init__(
        self,
        *,
        has_credentials: bool,
        uses_stored: bool,
        check: CredentialFunction,
        store: CredentialFunction | None,
        is_stored: Callable[[], bool],
    ) -> None:
        self._has_credentials = has_credentials
        self._uses_stored = uses_stored
        self._check = check
        self._store = store
        self._is_stored = is_stored

    @property
    def source(self) -> CredentialSource:
        """Where the credentials of this process come from."""
        if self._uses_stored:
            return CredentialSource.STORED
        if self._has_credentials:
            return CredentialSource.ENVIRONMENT
        return CredentialSource.PENDING if self._is_stored() else CredentialSource.NONE

    @property
    def can_store(self) -> bool:
        """Whether credentials that are entered would be used."""
        return self._store is not None and self.source is not CredentialSource.ENVIRONMENT

    @property
    def is_needed(self) -> bool:
        """Whether there are no credentials yet, and some can be entered."""
        waiting = {CredentialSource.NONE, CredentialSource.PENDING}
        return self._store is not None and self.source in waiting

    def store(self, client_id: str, client_secret: str) -> None:
        """Check credentials with Twitch and store them. `streamwatch dev` then restarts its
        processes. Raises TwitchError, where nothing is stored, and OSError."""
        if self._store is None or not self.can_store:
            raise PermissionError("credentials cannot be stored")
        self._check(client_id, client_secret)
        self._store(client_id, client_secret)
