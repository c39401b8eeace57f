"""What commands are given, checked."""

import click

from streamwatch.domain.eventsub import LOGIN


class Login(click.ParamType[str]):
    name = "login"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not LOGIN.fullmatch(value):
            self.fail(f"{value!r} is not a login: 1 to 25 letters, digits or _.", param, ctx)
        return value.lower()
