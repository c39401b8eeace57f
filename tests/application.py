"""The web application in the process of the tests."""

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from streamwatch.app import create_app
from streamwatch.bootstrap import Services


class _CompiledTemplates(BytecodeCache):
    """Compiles each template once, not once for each of the applications that tests create."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_COMPILED_TEMPLATES = _CompiledTemplates()


def application(services: Services) -> Flask:
    """The application on `services`, without a worker."""
    app = create_app(services=services)
    app.jinja_env.bytecode_cache = _COMPILED_TEMPLATES
    return app
