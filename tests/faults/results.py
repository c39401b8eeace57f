"""The table of faults, and its place in docs/reliability.md."""

import os
import platform
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tests.processes import ROOT

DOCUMENT = ROOT / "docs" / "reliability.md"


@dataclass(frozen=True)
class Row:
    """The outcome of one fault. `lost` is None where Twitch does not repeat what the fault lets get
    lost. `slowest` is the slowest answer to a webhook message; it and `recovery` are in seconds."""

    fault: str
    transport: str
    messages: int
    sent: int
    lost: int | None
    doubled: int
    recovery: float
    slowest: float


def table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(field.name for field in fields(Row)) + " |"]
    lines.append("|---|---|" + "---:|" * (len(fields(Row)) - 2))
    for row in rows:
        cells = [_text(cell) for cell in astuple(row)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _text(cell: object) -> str:
    match cell:
        case None:
            return "-"
        case float():
            return f"{cell:.1f}"
        case _:
            return str(cell)


def write_results(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Replace the text between the markers `<!-- name -->` and `<!-- /name -->`."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = document.read_text().partition(begin)
    _, _, after = rest.partition(end)
    assert rest, f"{document} has no {begin}"
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def machine() -> str:
    """A description of this machine."""
    cpu = _after("model name\t: ", Path("/proc/cpuinfo"))
    memory = int(_after("MemTotal:", Path("/proc/meminfo")).split()[0]) // 2**20
    return (
        f"{os.cpu_count()} cores of {cpu}, {memory} GB, Linux {platform.release()}, Python"
        f" {platform.python_version()}; the load, the servers and the service share it."
    )


def _after(label: str, file: Path) -> str:
    return file.read_text().partition(label)[2].partition("\n")[0].strip()
