"""Clients that third-party tools generate from the OpenAPI document use every operation."""

import importlib
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import examples
from tests.api.world import World
from tests.tools import npm_tool, run

pytestmark = pytest.mark.xdist_group("generated-clients")  # one document for all

ENDLESS = "follow_events"


@pytest.fixture(scope="module")
def world() -> World:
    return examples.furnished()


@pytest.fixture(scope="module")
def document(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("clients") / "openapi.json"
    file.write_text(json.dumps(world.openapi))
    return file


def test_a_generated_python_client_uses_every_operation(
    world: World, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = document.parent / "python"
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    target = ["--path", str(document), "--output-path", str(folder / "generated_client")]
    done = run([generator, "generate", "--meta", "none", *target])
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(folder))
    package = importlib.import_module("generated_client")
    transport = httpx.WSGITransport(app=world.app)
    client = package.AuthenticatedClient(
        base_url="http://localhost", token="a-full-key", httpx_args={"transport": transport}
    )
    values = dict(examples.VALUES)
    recorded = [(method, path.partition("?")[0]) for method, path, _ in examples.REQUESTS]
    others = [
        (method.upper(), path)
        for path, item in world.openapi["paths"].items()
        for method in item
        if method != "parameters" and (method.upper(), path) not in recorded
    ]
    bodies = {(method, path): body for method, path, body in examples.REQUESTS}
    for method, path in [*recorded[:-1], *others, recorded[-1]]:  # the last one removes shroud
        operation = world.openapi["paths"][path][method.lower()]
        module = importlib.import_module(
            f"generated_client.api.{operation['tags'][0]}.{operation['operationId']}"
        )
        arguments: dict[str, Any] = {name: values[name] for name in re.findall(r"\{(\w+)\}", path)}
        body = bodies.get((method, path))
        if body is not None:
            model = inspect.signature(module.sync_detailed).parameters["body"].annotation
            arguments["body"] = model.from_dict(body)
        if operation["operationId"] == ENDLESS:
            assert module._get_kwargs(**arguments)["url"] == path
            continue
        if path == "/webhooks/eventsub":
            continue  # is for Twitch alone
        response = module.sync_detailed(client=client, **arguments)
        assert response.status_code < 300, (method, path, response.content)
        if response.headers["Content-Type"] == "application/json":
            answer = json.loads(response.content)
            assert response.parsed.to_dict().keys() == answer.keys()
            examples.note_ids(method, path, answer, values)


def test_the_generated_typescript_types_fit_every_recorded_answer(document: Path) -> None:
    folder = document.parent
    types = folder / "schema.d.ts"
    done = run([npm_tool("openapi-typescript"), str(document), "--output", str(types)])
    assert done.returncode == 0, done.stdout + done.stderr
    lines = ['import type { paths } from "./schema";']
    for number, (name, example) in enumerate(json.loads(examples.FILE.read_text()).items()):
        method, path = name.split(" ")
        operation = f'paths["{path}"]["{method.lower()}"]'
        answer = f'{operation}["responses"][{example["status"]}]["content"]["application/json"]'
        lines.append(f"export const answer{number}: {answer} = {json.dumps(example['response'])};")
    program = folder / "program.ts"
    program.write_text("\n".join(lines))
    done = run([npm_tool("tsc"), "--noEmit", "--strict", "--skipLibCheck", str(program)])
    assert done.returncode == 0, done.stdout
