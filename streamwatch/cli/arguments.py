"""Types and checks of command-line arguments."""

from collections.abc import Sequence

import click

from streamwatch.domain.logins import NOT_A_LOGIN, login_from
from streamwatch.domain.tags import NOT_A_TAG, TAG


class Login(click.ParamType[str]):
    """A Twitch login, also as `@login` or as the address of a channel."""

    name = "login"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The login in lower case."""
        login = login_from(value)
        if login is None:
            self.fail(f"{value!r}: {NOT_A_LOGIN}", param, ctx)
        return login


def require_logins_or_all(logins: Sequence[str], everyone: bool) -> None:
    """Raise UsageError unless either streamers are named or `--all` is given."""
    if bool(logins) == everyone:
        raise click.UsageError("Name streamers, or use --all.")


class Tag(click.ParamType[str]):
    """A tag of streamers, in any case."""

    name = "tag"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The tag in lower case."""
        tag = value.lower()
        if not TAG.fullmatch(tag):
            self.fail(f"{value!r}: {NOT_A_TAG}", param, ctx)
        return tag
