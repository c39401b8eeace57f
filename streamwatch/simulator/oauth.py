"""App access tokens: https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/"""

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from werkzeug.datastructures import Headers

from streamwatch.simulator.web import Refused, Reply


class OAuth:
    """Issues tokens to the one application and checks them. `lifetime` may be set at any time, for
    the tokens issued afterwards."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.client_id = "simulated0client0id"
        self.client_secret = secrets.token_hex(15)
        self.lifetime = timedelta(days=60)
        self._clock = clock
        self._lock = threading.Lock()
        self._expiries: dict[str, datetime] = {}

    def token(self, form: Mapping[str, str]) -> Reply:
        """The response of the token endpoint."""
        if form.get("client_id") != self.client_id:
            raise Refused(400, "invalid client")
        if form.get("client_secret") != self.client_secret:
            raise Refused(403, "invalid client secret")
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, "invalid grant type")
        token = secrets.token_hex(15)
        with self._lock:
            self._expiries[token] = self._clock() + self.lifetime
        expires_in = int(self.lifetime.total_seconds())
        return Reply(200, {"access_token": token, "expires_in": expires_in, "token_type": "bearer"})

    def expire_all(self) -> None:
        """Revoke all tokens issued so far."""
        with self._lock:
            self._expiries.clear()

    def validate(self, headers: Headers) -> Reply:
        """The response of the validation endpoint, which takes `OAuth` or `Bearer` tokens."""
        _, _, token = headers.get("Authorization", "").partition(" ")
        expiry = self._expiries.get(token)
        now = self._clock()
        if expiry is None or expiry <= now:
            raise Refused(401, "invalid access token")
        expires_in = int((expiry - now).total_seconds())
        return Reply(200, {"client_id": self.client_id, "scopes": [], "expires_in": expires_in})

    def check(self, headers: Headers) -> None:
        """Refuse a Helix call without a valid token and its client id."""
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused(401, "OAuth token is missing")
        expiry = self._expiries.get(token)
        if expiry is None or expiry <= self._clock():
            raise Refused(401, "Invalid OAuth token")
        if headers.get("Client-Id") != self.client_id:
            raise Refused(401, "Client ID and OAuth token do not match")
