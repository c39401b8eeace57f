"""Third-party tools read the OpenAPI document: linters and generators of clients."""

import json
import os
from pathlib import Path

import pytest

from streamwatch.settings import KeyRequirement
from tests.api.world import build_world
from tests.tools import npm_tool, run

QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document of an installation on which every operation needs a key."""
    openapi = build_world(
        require_api_key=KeyRequirement.ALL, api_keys=("a-full-key",), api_read_keys=("a-read-key",)
    ).openapi
    file = tmp_path_factory.mktemp("openapi") / "openapi.json"
    file.write_text(json.dumps(openapi))
    return file


def test_redocly_finds_neither_errors_nor_warnings(document: Path) -> None:
    command = [npm_tool("redocly"), "lint", str(document), "--extends=recommended-strict"]
    done = run(command, cwd=document.parent, environment=os.environ | QUIET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout


def test_spectral_finds_neither_errors_nor_warnings(document: Path) -> None:
    ruleset = document.parent / "ruleset.yaml"
    ruleset.write_text('extends: ["spectral:oas"]')
    command = [npm_tool("spectral"), "lint", str(document), "--ruleset", str(ruleset)]
    done = run([*command, "--fail-severity=hint"])
    assert done.returncode == 0, done.stdout + done.stderr
