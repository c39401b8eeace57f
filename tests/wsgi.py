"""Applications that tests serve with gunicorn: memory storage, and a fake Twitch without users."""

from flask import Flask

from streamwatch.storage.base import StorageUnavailable
from tests.api.world import build_world


def working() -> Flask:
    return build_world().app


def unlimited() -> Flask:
    return build_world(rate_limit=0, lookup_limit=0).app


def without_storage() -> Flask:
    world = build_world()
    world.storage.error = StorageUnavailable("connection refused")
    return world.app
