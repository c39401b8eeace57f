"""Reads the settings from the environment and the file .env."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from environs import Env, EnvValidationError, ValidationError

from streamwatch.settings.defaults import with_defaults
from streamwatch.settings.model import (
    DATA_DIR,
    EMBEDDED,
    EventSubTransport,
    KeyRequirement,
    Origin,
    Settings,
    SettingsError,
)
from streamwatch.settings.spelling import misspelled
from streamwatch.settings.values import ValueType
from streamwatch.settings.variables import FIELDS, LOWER_CASE, VARIABLES, WEBHOOK_SECRETS

ORIGINS = "STREAMWATCH_ORIGINS"
"""`streamwatch dev` passes its defaults to its child processes as environment variables. This one
holds the origin of each: `API_KEY=DATA_DIR HOST=default`."""


def from_env(
    dotenv: Path | None = None,
    *,
    default_storage: Callable[[Path], str] = lambda _data_dir: "memory",
    dev: bool = False,
) -> Settings:
    """Read the settings from the environment and, where it lacks a variable, from `dotenv`.

    `dotenv` is `.env` in the working directory by default, and may be absent. `default_storage`
    returns the default of STORAGE_TYPE for a DATA_DIR; with `dev` all defaults are those of
    `streamwatch dev`. An empty variable counts as absent, except IMAGE_ORIGINS. Raises
    SettingsError with all faults.
    """
    file = dotenv or Path(".env")
    in_file = _variables_in(file)
    env = Env(eager=False)
    if in_file:
        env.read_env(file, recurse=False)
    given = _given(env)
    values = {FIELDS.get(name, name.lower()): _parse(env, name) for name in given}
    if "storage_type" not in values:
        data_dir = values.get("data_dir", DATA_DIR)
        values["storage_type"] = EMBEDDED if dev else default_storage(data_dir)
    faults = [*_faults(env, given), *_contradictions(values, dev=dev)]
    if faults:
        raise SettingsError(faults)
    values["origins"] = _origins(given, in_file)
    values = with_defaults(values, dev=dev)
    warnings = [*misspelled([*os.environ, *in_file]), *_doubts(values)]
    return Settings(**values, warnings=tuple(warnings))


def is_color_refused() -> bool:
    """Whether NO_COLOR is set, for all programs of the user: https://no-color.org"""
    return bool(os.environ.get("NO_COLOR"))


def _variables_in(file: Path) -> dict[str, str | None]:
    """The variables in a file like `.env`; none if it does not exist. Raises SettingsError."""
    if file.is_dir():
        raise SettingsError([f"{file}: this is a folder, not a file"])
    try:
        return dotenv_values(file) if file.is_file() else {}
    except UnicodeDecodeError:
        fault = f"{file}: the file cannot be read (not UTF-8); save it as UTF-8"
    except OSError as error:
        fault = f"{file}: the file cannot be read ({error.strerror})"
    raise SettingsError([fault])


def _given(env: Env) -> dict[str, str]:
    """The variables that are set, with their text."""
    texts = {name: env.str(name, None) for name in VARIABLES}
    return {
        name: text
        for name, text in texts.items()
        if text is not None and (text.strip() or VARIABLES[name].empty_counts)
    }


def _origins(given: Mapping[str, str], in_file: Mapping[str, str | None]) -> dict[str, Origin]:
    """Where each variable was set: as the parent process says in ORIGINS, or else in `.env` if the
    variable has the same value there."""
    passed_on = dict(part.split("=", 1) for part in os.environ.get(ORIGINS, "").split())
    return {
        name: Origin(passed_on[name])
        if name in passed_on
        else Origin.DOTENV
        if in_file.get(name) == text
        else Origin.ENVIRONMENT
        for name, text in given.items()
    }


def _parse(env: Env, name: str) -> Any:
    kind = VARIABLES[name]

    def check(value: Any) -> None:
        try:
            kind.check(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    if kind.parser == "list":
        items = [item for item in env.list(name, subcast=str.strip, validate=check) or () if item]
        if FIELDS.get(name, name.lower()) in LOWER_CASE:
            items = [item.lower() for item in items]
        return tuple(dict.fromkeys(items))
    return getattr(env, kind.parser)(name, validate=check, **kind.options)


def _faults(env: Env, given: Mapping[str, str]) -> list[str]:
    """One line for each variable whose value cannot be used."""
    try:
        env.seal()
    except EnvValidationError as error:
        faults = error.error_messages
        assert isinstance(faults, Mapping)  # noqa: S101  environs' type with eager=False
        return [
            _fault(name, VARIABLES[name], given[name], messages[0])
            for name, messages in faults.items()
        ]
    return []


def _fault(name: str, kind: ValueType, given: str, message: str) -> str:
    value = "the value" if kind.secret else repr(given)
    reason = message.rstrip(".").lower()
    return f"{name}: {value} cannot be used ({reason}); allowed: {kind.allowed}"


def _doubts(values: Mapping[str, Any]) -> Iterator[str]:
    """A warning for each pair of settings that work together, but hardly as intended."""
    storage = values["storage_type"]
    if storage != "memory" and values["analytics_type"] == "memory":
        yield (
            f"ANALYTICS_TYPE=memory: with STORAGE_TYPE={storage} only the worker has the"
            " analytics, until it ends, and the web processes show none. Set ANALYTICS_TYPE to"
            " redis or mongodb"
        )


def _contradictions(values: dict[str, Any], *, dev: bool) -> Iterator[str]:
    """One line for each pair of settings that exclude each other. A value that has a fault of its
    own is None here."""
    storage = values["storage_type"]
    if storage not in ("memory", EMBEDDED, None) and "webhook_secrets" not in values:
        yield f"WEBHOOK_SECRET: missing; STORAGE_TYPE={storage} needs {WEBHOOK_SECRETS}"
    if storage == "memory" and (values.get("web_concurrency") or 1) > 1:
        yield (
            f"WEB_CONCURRENCY: {values['web_concurrency']} web processes cannot share"
            " STORAGE_TYPE=memory; allowed: 1, or STORAGE_TYPE=redis"
        )
    required = values.get("require_api_key")
    needs_key = required not in (None, KeyRequirement.NONE)
    if needs_key and "api_keys" not in values and not dev:  # which generates one
        yield f"API_KEY: missing; REQUIRE_API_KEY={required} needs at least one key"
    if (
        values.get("eventsub_transport") is EventSubTransport.WEBHOOK
        and "webhook_url" not in values
    ):
        yield "WEBHOOK_URL: missing; EVENTSUB_TRANSPORT=webhook needs the webhook's public address"
    pair = ("twitch_client_id", "twitch_client_secret")
    for name, other in (pair, pair[::-1]):
        if other in values and name not in values:
            yield f"{name.upper()}: missing; {other.upper()} is set, and needs it"
