"""docs/security.md lists every way in. Its tables are compared with the program."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import click

from streamwatch.bootstrap import build
from streamwatch.cli import main
from streamwatch.settings import Settings
from streamwatch.settings.variables import COMPOSE_VARIABLES, VARIABLES
from streamwatch.twitch.base import Twitch
from tests.api.test_keys import OPERATIONS
from tests.application import application
from tests.processes import ROOT

_PAGE = ROOT / "docs" / "security.md"
_UNTESTED_METHODS = {"HEAD", "OPTIONS"}


class Row(NamedTuple):
    """One row of a table: the names in its first column, and the other cells."""

    names: list[str]
    cells: list[str]


def rows(section: str) -> list[Row]:
    """The rows of the table between `<!-- section -->` and `<!-- /section -->`."""
    text = _PAGE.read_text()
    [table] = re.findall(rf"<!-- {section} -->\n(.*?)<!-- /{section} -->", text, re.DOTALL)
    lines = [line.strip().strip("|").split("|") for line in table.strip().splitlines()[2:]]
    return [Row(re.findall(r"`([^`]+)`", first), cells) for first, *cells in lines]


def check_complete(section: str, expected: set[str], columns: str) -> None:
    """Each of `expected` is in one row of the section's table, and nothing else is."""
    listed = [name for row in rows(section) for name in row.names]
    missing, unknown = expected - set(listed), set(listed) - expected
    assert not missing, (
        f"docs/security.md does not list {sorted(missing)}. Add a row `| {columns} |` for each to"
        f" the table {section!r}, or add the name to a row that has the same bound."
    )
    assert not unknown, f"docs/security.md lists {sorted(unknown)}, which do not exist: remove them"
    assert len(listed) == len(set(listed)), "an entry is listed twice"


@cache
def routes() -> frozenset[str]:
    """All routes, like `GET /streamers/{username}/status`."""
    app = application(build(Settings()))
    found = set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule.rule)
        found |= {f"{method} {path}" for method in (rule.methods or set()) - _UNTESTED_METHODS}
    return frozenset(found)


def dashboard_routes() -> set[str]:
    return {route for route in routes() if route.split(" ")[1].startswith("/dashboard")}


def commands(command: click.Command, name: str) -> Iterator[str]:
    """The full names of the commands below `command`."""
    if not isinstance(command, click.Group):
        yield name
        return
    for child in command.commands.values():
        yield from commands(child, f"{name} {child.name}")


def test_each_operation_of_the_api_has_a_row() -> None:
    check_complete(
        "operations",
        set(routes()) - dashboard_routes(),
        "`METHOD /path` | who may call it | bound | invalid input",
    )


def test_the_page_says_who_may_call_an_operation() -> None:
    """As `tests/api/test_keys.py` proves it."""
    who = {name: row.cells[0].strip() for row in rows("operations") for name in row.names}
    assert {name: who[name] for name in OPERATIONS} == OPERATIONS


def test_each_page_and_form_of_the_dashboard_has_a_row() -> None:
    check_complete(
        "dashboard",
        dashboard_routes(),
        "`METHOD /dashboard/path` | who may call it | bound | invalid input",
    )


def test_each_command_has_a_row() -> None:
    expected = set(commands(main, "streamwatch"))
    check_complete("commands", expected, "`streamwatch command` | bound | invalid input")


def test_each_setting_has_a_row_with_what_is_allowed() -> None:
    check_complete(
        "settings", VARIABLES.keys() | COMPOSE_VARIABLES, "`VARIABLE` | what is allowed | secret"
    )
    for row in rows("settings"):
        allowed, secret = (cell.strip() for cell in row.cells)
        for name in row.names:
            if name in VARIABLES:
                assert allowed.replace("`", "") == VARIABLES[name].allowed.replace("`", ""), name
                assert bool(secret) == VARIABLES[name].secret, name


def test_each_answer_of_twitch_has_a_row() -> None:
    others = {"token", "date", "session_welcome", "session_keepalive", "session_reconnect"}
    others |= {"notification", "revocation", "webhook_callback_verification"}
    check_complete(
        "twitch", set(Twitch.__abstractmethods__) | others, "`answer` | bound | malformed"
    )
