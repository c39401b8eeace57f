"""The web application in the process of the tests.

Tests create hundreds of applications. What is the same in all of them is compiled once.
"""

from typing import Any
from unittest.mock import patch

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from streamwatch.app import create_app
from streamwatch.bootstrap import Services


class _CompiledTemplates(BytecodeCache):
    """Compiles each template once, not once for each application."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_COMPILED_TEMPLATES = _CompiledTemplates()

_compiled_rules: dict[Any, Rule] = {}


class _CompiledRule(Rule):
    """A rule of the URL map, compiled once for all applications: compiling the rules is more than
    nine tenths of the work of `create_app`."""

    def compile(self) -> None:
        key = (self.rule, self.endpoint, frozenset(self.methods or ()), self.strict_slashes)
        compiled = _compiled_rules.get(key)
        if compiled is None:
            super().compile()
            _compiled_rules[key] = self
        else:
            vars(self).update(vars(compiled) | {"map": self.map})


def application(services: Services) -> Flask:
    """The application on `services`, without a worker."""
    with patch.object(Flask, "url_rule_class", _CompiledRule):
        app = create_app(services=services)
    app.jinja_env.bytecode_cache = _COMPILED_TEMPLATES
    return app
