"""Agents that are spawned by our tool are real Codex sessions that reach the memory as who they are."""

import json
from typing import Any

import pytest

from runner.mcp.agents import end
from runner.mcp.place import Place
from runner.mcp.server import answer
from runner.settings import read_settings

from .conftest import Serve

pytestmark = pytest.mark.acceptance
SCRIPTS = r"""
first:
  task: '\AStore the result'
  steps:
    - call:
        server: dual-memory
        tool: memory_store
        arguments: {key: result-c1, value: secret of the first, namespace: results, upsert: true}
    - say: Stored.
second:
  task: '\ARead the result'
  steps:
    - call: {server: dual-memory, tool: memory_retrieve, arguments: {key: result-c1, namespace: results}}
    - say: "c2 got {{result}}"
lead:
  task: '\ALead the others'
  steps:
    - call: {server: dual-memory, tool: memory_retrieve, arguments: {key: result-c1, namespace: results}}
    - say: "lead got {{result}}"
"""


def test_spawned_agents_have_our_tools_and_read_what_their_topology_lets_them(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = serve(SCRIPTS)
    for name, value in {**stage.environ, "RUNNER_HEADLESS": "codex"}.items():
        monkeypatch.setenv(name, value)
    place = Place(read_settings(), stage.repo)

    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        result = answer(place, tool, arguments)
        reply: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
        assert not result.is_error, reply
        return reply

    def spawned(kind: str, name: str, task: str) -> dict[str, Any]:
        call("agent_spawn", agentType=kind, name=name, task=task)
        stage.until(lambda: call("agent_status", agentId=name)["status"] in {"completed", "failed"},
                    lambda: str(call("agent_status", agentId=name)))  # fmt: skip
        told = call("agent_status", agentId=name)
        assert told["status"] == "completed", told
        return told

    try:
        call("swarm_init", topology="hierarchical", maxAgents=3)
        spawned("coder", "c0", "Lead nobody")  # the first leads where no type does: c1 and c2 are no leads
        spawned("coder", "c1", "Store the result")
        stored = call("memory_retrieve", key="result-c1", namespace="results")
        assert stored["value"] == "secret of the first"
        hidden = spawned("coder", "c2", "Read the result")["lastResult"]
        assert '"found": false' in hidden.replace("\\", "")
        assert "secret" not in hidden
        assert "secret of the first" in spawned("coordinator", "boss", "Lead the others")["lastResult"]
    finally:
        for agent in place.swarms.read().agents.values():
            end(agent)
        place.close()
