"""The commands, files and settings that README and docs/ name exist."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamwatch.cli import main
from streamwatch.settings import VARIABLES
from tests.e2e.documentation import PAGES, shell_lines
from tests.processes import ROOT

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def test_every_streamwatch_command_exists() -> None:
    found = [line for line in shell_lines(*PAGES) if line.startswith("streamwatch ")]
    assert found
    for line in found:
        arguments = shlex.split(line, comments=True)[1:]
        done = CliRunner().invoke(main, [*arguments, "--help"])
        assert done.exit_code == 0, (line, done.output)


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in shell_lines(*PAGES):
        if match := re.fullmatch(r"make ([a-z]+)", line):
            assert re.search(rf"^{match[1]}:", makefile, re.MULTILINE), line


def test_every_compose_file_exists() -> None:
    found = {name for page in PAGES for name in re.findall(r"-f (\S+\.yml)", page.read_text())}
    assert found == {"docker-compose.embedded.yml", "docker-compose.redis.yml"}
    assert all((ROOT / name).is_file() for name in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_fits_on_three_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def test_the_settings_table_has_every_variable() -> None:
    table = (ROOT / "docs/configure.md").read_text()
    assert VARIABLES.keys() <= set(re.findall(r"`([A-Z_]+)`", table))
