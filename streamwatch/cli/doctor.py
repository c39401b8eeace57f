"""`streamwatch doctor`: find faults of the installation."""

import click

from streamwatch.cli.doctor_checks import Finding, Verdict, examine
from streamwatch.cli.services import opened
from streamwatch.settings import SettingsError

_COLOURS = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAULT: "red"}


@click.command()
def doctor() -> None:
    """Find faults of the installation and how to fix them.

    Checks settings, storage, analytics, Twitch's credentials, the worker and, with a message like
    Twitch's, the public webhook. With any fault the exit code is 1.
    """
    try:
        with opened() as services:
            _show(Finding("settings", Verdict.OK, "valid"))
            for warning in services.settings.warnings:
                _show(
                    Finding("settings", Verdict.NOTE, warning, "correct the setting, or remove it")
                )
            findings = [_show(finding) for finding in examine(services)]
    except SettingsError as error:
        findings = [
            _show(Finding("settings", Verdict.FAULT, fault, "correct the environment or .env"))
            for fault in error.faults
        ]
    if any(finding.verdict is Verdict.FAULT for finding in findings):
        raise click.exceptions.Exit(1)


def _show(finding: Finding) -> Finding:
    verdict = click.style(f"{finding.verdict:5}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict}  {finding.subject:9}  {finding.text}")
    if finding.remedy:
        click.echo(f"{'':18}{finding.remedy}")
    return finding
