"""The command line where the package is not installed: `python -m streamwatch`."""

from streamwatch.cli import main

main(prog_name="streamwatch")
