"""The Twitch credentials that were entered in the browser, stored in DATA_DIR."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from streamwatch.secret_file import write_secret
from streamwatch.settings.model import SettingsError


@dataclass(frozen=True, slots=True)
class TwitchCredentials:
    """The client id and the client secret of a Twitch application."""

    client_id: str
    client_secret: str = field(repr=False)


def credentials_file(data_dir: Path) -> Path:
    """The file with the credentials, readable by its owner only."""
    return data_dir / "twitch-credentials.json"


def store_credentials(data_dir: Path, credentials: TwitchCredentials) -> None:
    """Store credentials, replacing earlier ones. Raises OSError."""
    text = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    write_secret(credentials_file(data_dir), json.dumps(text))


def load_credentials(data_dir: Path) -> TwitchCredentials | None:
    """The stored credentials, or None. Raises SettingsError for a file that cannot be read."""
    file = credentials_file(data_dir)
    try:
        found = json.loads(file.read_text())
        return TwitchCredentials(str(found["client_id"]), str(found["client_secret"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        fault = f"TWITCH_CLIENT_ID: the file {file} cannot be read; delete it and enter them again"
        raise SettingsError([fault]) from None
