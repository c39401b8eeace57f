"""The shell commands in README and docs/."""

import re
from pathlib import Path

from tests.processes import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shell_lines(*pages: Path) -> list[str]:
    """The lines of the shell commands on the pages."""
    blocks = [block for page in pages for block in _FENCE.findall(page.read_text())]
    return [line for block in blocks for line in block.splitlines()]
