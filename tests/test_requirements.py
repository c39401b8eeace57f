"""pyproject.toml declares ranges, requirements*.txt pin versions with hashes: they agree."""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import ROOT

FILES = {
    "requirements.txt": ([], []),
    "requirements-local.txt": (["embedded"], []),
    "requirements-dev.txt": (["embedded", "apprise"], ["dev"]),
}
"""Each file with the extras and the dependency groups that it pins."""


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(file: str) -> dict[str, list[tuple[str, str]]]:
    """The versions that a file pins and the text of their hashes, by package."""
    found: dict[str, list[tuple[str, str]]] = {}
    entries = re.split(r"^(?=\S)", (ROOT / file).read_text(), flags=re.MULTILINE)
    for entry in entries:
        if entry.strip() and not entry.startswith("#"):
            match = re.match(r"([\w.-]+)(\[[\w,]+\])?==(\S+)", entry)
            assert match, f"{file}: not pinned: {entry.splitlines()[0]} (run `make lock`)"
            found.setdefault(canonicalize_name(match[1]), []).append((match[3], entry))
    return found


def declared(extras: list[str], groups: list[str]) -> list[Requirement]:
    """The requirements of the package with extras and groups."""
    document = pyproject()
    texts = list(document["project"]["dependencies"])
    for extra in extras:
        texts += document["project"]["optional-dependencies"][extra]
    for group in groups:
        texts += document["dependency-groups"][group]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("file", FILES)
def test_every_declared_dependency_is_pinned_within_its_range(file: str) -> None:
    pinned = pins(file)
    for requirement in declared(*FILES[file]):
        versions = pinned.get(canonicalize_name(requirement.name))
        assert versions, f"{file} does not pin {requirement.name}: run `make lock`"
        for version, _ in versions:
            assert requirement.specifier.contains(version), f"{requirement} is not {version}"


@pytest.mark.parametrize("file", FILES)
def test_every_pin_has_hashes(file: str) -> None:
    for name, versions in pins(file).items():
        for _, entry in versions:
            assert "--hash=sha256:" in entry, f"{file}: {name} has no hash: run `make lock`"


def test_the_files_pin_the_same_versions() -> None:
    production = pins("requirements.txt")
    for file in FILES:
        others = pins(file)
        for name, versions in production.items():
            assert [v for v, _ in others[name]] == [v for v, _ in versions], (file, name)


def test_every_dependency_of_production_has_an_upper_bound() -> None:
    for requirement in declared(["embedded", "apprise"], []):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert requirement.name == "tzdata" or "<" in operators, requirement
