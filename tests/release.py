"""Tags a release: `python -m tests.release`, after `make check test build`.

The version is `streamwatch.__version__`. Refuses what would make a wrong release.
"""

import re
import subprocess
import sys
from collections.abc import Iterator

from streamwatch import __version__
from tests.processes import ROOT


def main() -> int:
    """Check and tag; the exit status."""
    tag = f"v{__version__}"
    faults = list(problems(__version__, (ROOT / "CHANGELOG.md").read_text(), *_git_state(tag)))
    if faults:
        print("\n".join(faults), file=sys.stderr)  # noqa: T201  a command's answer
        return 1
    _git("tag", "--annotate", tag, "--message", f"StreamWatch {__version__}")
    print(f"Tagged {tag}. Publish: git push origin {tag} && twine upload dist/*")  # noqa: T201
    return 0


def problems(version: str, changelog: str, changes: str, tags: str) -> Iterator[str]:
    """A sentence for each reason not to release."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        yield f"{version} is not a version of the form 1.2.3: edit streamwatch/__init__.py."
    if not re.search(rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        yield f"CHANGELOG.md has no heading '## {version} - YYYY-MM-DD'."
    if changes:
        yield "There are uncommitted changes."
    if tags:
        yield f"The tag {tags} exists already."


def _git_state(tag: str) -> tuple[str, str]:
    """The uncommitted changes, and the tag if it exists."""
    return _git("status", "--porcelain"), _git("tag", "--list", tag)


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
