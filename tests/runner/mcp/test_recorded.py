"""Calls that were recorded with claude-flow 3.43.0 and ruv-swarm 1.0.20 are answered in the same shape.

`recorded.json` holds what the tools take, the calls with their arguments, and of each reply the names and kinds of its
fields. Fields whose names depend on what is stored or loaded are recorded as an empty object.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.mcp.server import TOOLS

from .conftest import Call

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())
SERVED = [(server, tool) for server, tools in RECORDED["tools"].items() for tool in tools]
KINDS = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}


def kinds(value: Any) -> Any:
    """The names and kinds of fields."""
    if isinstance(value, dict):
        return {name: kinds(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value and isinstance(value[0], dict) else []
    return KINDS[type(value)]


def missing(wanted: Any, got: Any, path: str = "reply") -> list[str]:
    """What of a recorded shape a reply lacks."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            gap
            for name, inner in wanted.items()
            for gap in (missing(inner, got[name], f"{path}.{name}") if name in got else [f"{path}.{name} is missing"])
        ]
    if isinstance(wanted, list) and isinstance(got, list):
        return missing(wanted[0], got[0], f"{path}[0]") if wanted and got else [f"{path} is empty"] if wanted else []
    return [] if wanted == got else [f"{path} is {got}, recorded was {wanted}"]


@pytest.mark.parametrize("server", ["claude-flow", "ruv-swarm"])
def test_recorded_calls_are_answered_in_the_recorded_shape(server: str, call: Call) -> None:
    gaps = {
        f"{number} {recorded['tool']}": found
        for number, recorded in enumerate(RECORDED["calls"])
        if recorded["server"] == server
        and (found := missing(recorded["reply"], kinds(call(recorded["tool"], **recorded["arguments"]))))
    }
    assert gaps == {}


@pytest.mark.parametrize(("server", "tool"), SERVED, ids=[f"{server} {tool}" for server, tool in SERVED])
def test_every_recorded_argument_is_taken_with_its_kind(server: str, tool: str) -> None:
    recorded = RECORDED["tools"][server][tool]
    schema = TOOLS[tool].announce().input_schema
    ours = {name: inner.get("type", "any") for name, inner in schema["properties"].items()}
    whole = {**recorded["arguments"], **({"memoryDimension": "number"} if "memoryDimension" in ours else {})}
    assert {name: ours.get(name) for name in whole} == whole
    assert set(schema.get("required", [])) <= set(recorded["required"])


def test_the_seeds_pattern_works_as_it_is_written(call: Call) -> None:
    call("memory_store", key="design/api-feature", value='{"endpoints": [], "models": []}', namespace="shared")
    found = call("memory_search", query="api feature design", namespace="shared")
    assert [result["key"] for result in found["results"]] == ["design/api-feature"]
    call("memory_store", key="result-worker-1", value="implementation complete", namespace="results", upsert=True)
    assert call("memory_list", namespace="results")["entries"][0]["key"] == "result-worker-1"


@pytest.mark.parametrize("name", TOOLS)
def test_schemas_are_plain(name: str) -> None:
    announced = TOOLS[name].announce()
    text = json.dumps(announced.input_schema)
    assert announced.description
    assert announced.input_schema["type"] == "object"
    for unwanted in ("anyOf", "$ref", "$defs", '"title"', "null"):
        assert unwanted not in text


@pytest.mark.parametrize("name", TOOLS)
def test_no_tool_needs_asking_in_a_headless_session(name: str) -> None:
    hints = TOOLS[name].announce().annotations
    assert hints is not None
    assert (hints.destructive_hint, hints.open_world_hint) == (False, False)
    reads = name.endswith(("_status", "_list", "_search", "_search_unified", "_retrieve", "_stats", "_health", "route"))
    assert hints.read_only_hint is (reads or name == "route_task")
