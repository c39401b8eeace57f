"""Applications that tests serve with gunicorn, with a fake Twitch without users."""

import os

from flask import Flask

from streamwatch.app import create_app
from streamwatch.bootstrap import assemble
from streamwatch.storage.redis import RedisStorage
from streamwatch.storage.redis.connection import Connection
from tests.api.world import build_world


def working() -> Flask:
    return build_world().app


def unlimited() -> Flask:
    return build_world(rate_limit=0, lookup_limit=0).app


def on_redis() -> Flask:
    """Without limits, on the Redis of REDIS_URL."""
    world = build_world(rate_limit=0, lookup_limit=0)
    storage = RedisStorage(Connection.to(os.environ["REDIS_URL"]))
    return create_app(services=assemble(world.settings, storage, world.twitch, world.analytics))
