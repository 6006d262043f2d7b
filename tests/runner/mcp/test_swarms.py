"""Swarms and their agents: real supervisors, real `runner execute`, sessions played by the scripted agent."""

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner.census import marked
from runner.errors import StorageUnavailable
from runner.mcp.agents import read_outcome
from runner.mcp.place import Place
from runner.mcp.supervisor import supervise
from runner.mcp.swarms import AgentState

from .conftest import Call, Until

Refuse = Callable[..., tuple[str, str]]
ENDED = ("completed", "failed", "terminated")


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a task that the scripted agent plays, though our briefing stands below it."""
    scripts: dict[str, list[dict[str, Any]]] = {}
    monkeypatch.setenv("RUNNER_SCRIPTS", str(tmp_path / "scripts.json"))
    monkeypatch.setenv("RUNNER_PASS_ENV", "COVERAGE_*,RUNNER_SCRIPTS")

    def make(**steps: Any) -> str:
        task = f"Play script {len(scripts)}."
        scripts[re.escape(task)] = [{action: value} for action, value in steps.items()]
        (tmp_path / "scripts.json").write_text(json.dumps(scripts))
        return task

    return make


def state_of(call: Call, agent: str) -> str:
    """How an agent stands."""
    return str(call("agent_status", agentId=agent)["status"])


def test_a_spawned_agent_really_works_and_its_result_is_stored(
    call: Call, until: Until, play: Callable[..., str], repo: Path, git: Callable[..., str]
) -> None:
    call("swarm_init", topology="hierarchical", maxAgents=2)
    spawned = call("agent_spawn", agentType="coder", name="c1", task=play(say="I write.", write=["made.txt", "hi\n"]))
    assert (spawned["status"], spawned["swarm_info"]["capacity"]) == ("queued", "1/2")
    until(lambda: state_of(call, "c1") in ENDED)
    told = call("agent_status", agentId=spawned["agentId"])
    assert (told["status"], told["reason"]) == ("completed", told["reason"])
    assert git(repo, "show", f"{told['branch']}:made.txt") == "hi"
    result = call("memory_retrieve", key="result-c1", namespace="results")
    assert result["value"]["state"] == "completed"
    runs = call("run_status")
    assert (runs["total"], runs["tasks"][0]["branch"]) == (1, told["branch"])
    assert call("run_status", run="no-such")["total"] == 0


def test_an_agent_starts_from_the_last_commit_though_the_checkout_has_changes(
    call: Call, until: Until, play: Callable[..., str], repo: Path, git: Callable[..., str]
) -> None:
    (repo / "a.txt").write_text("not committed\n")
    call("agent_spawn", agentType="coder", name="c1", task=play(run="cp a.txt seen.txt"))
    until(lambda: state_of(call, "c1") in ENDED)
    told = call("agent_status", agentId="c1")
    assert told["status"] == "completed", told
    assert git(repo, "show", f"{told['branch']}:seen.txt") == "hello"
    assert (repo / "a.txt").read_text() == "not committed\n"


def test_a_result_that_the_agent_stored_itself_stays(call: Call, until: Until, play: Callable[..., str]) -> None:
    program = f"{sys.executable} -c 'from runner.cli import entry; entry()'"
    call("agent_spawn", type="coder", name="c1", task=play(run=f"{program} memory store result-c1 mine -n results"))
    until(lambda: state_of(call, "c1") in ENDED)
    listed = call("memory_list", namespace="results")
    assert (listed["total"], call("memory_retrieve", key="result-c1", namespace="results")["value"]) == (1, "mine")


def test_no_more_sessions_run_than_the_swarm_has_places(call: Call, until: Until, play: Callable[..., str]) -> None:
    call("swarm_init", maxAgents=1)
    names = [call("agent_spawn", type="coder", task=play(wait=30))["agent"]["name"] for _ in range(3)]
    assert names == ["coder-1", "coder-2", "coder-3"]
    until(lambda: state_of(call, "coder-1") == "running")
    until(lambda: (call("swarm_health")["checks"][1]["message"]) == "1 of 1 in use")
    assert [state_of(call, name) for name in names] == ["running", "queued", "queued"]
    assert {agent["name"] for agent in call("agent_list", filter="busy")["agents"]} == set(names)
    assert call("agent_terminate", agentId="coder-1", force=True)["terminated"] is True
    until(lambda: state_of(call, "coder-2") == "running")
    down = call("swarm_shutdown", graceful=False)
    assert (down["agentsTerminated"], down["agentsFinishing"]) == (2, 0)
    until(lambda: not _processes(call))
    assert [agent["status"] for agent in call("agent_list", includeTerminated=True)["agents"]] == ["terminated"] * 3
    assert call("agent_list")["total"] == 0


def test_a_terminated_session_ends_and_keeps_its_work(call: Call, until: Until, play: Callable[..., str]) -> None:
    call("agent_spawn", agentType="coder", name="c1", task=play(write=["half.txt", "half\n"], wait=60))
    until(lambda: state_of(call, "c1") == "running")
    until(lambda: any(task["status"] == "running" for task in call("run_status")["tasks"]))
    call("agent_terminate", agentId="c1")
    until(lambda: call("agent_status", agentId="c1")["lastResult"] is not None or not _processes(call))
    assert call("agent_terminate", agentId="c1")["terminated"] is False
    assert state_of(call, "c1") == "terminated"


def test_an_agent_without_a_task_waits_for_one(call: Call, until: Until, play: Callable[..., str]) -> None:
    call("swarm_init", topology="star")
    for name in ("one", "two"):
        assert call("agent_spawn", type="coder", name=name)["status"] == "registered"
    assert [agent["name"] for agent in call("agent_list", filter="idle")["agents"]] == ["one", "two"]
    waiting = call("task_create", type="feature", description="later", priority="low", tags=["t"])
    assert (waiting["status"], waiting["priority"], waiting["tags"]) == ("pending", "low", ["t"])
    task = call("task_create", type="feature", description=play(say="done"), assignTo=["one"])
    assert task["status"] == "in_progress"
    until(lambda: call("task_status", taskId=task["taskId"])["status"] in {"completed", "failed"})
    assert call("task_status", taskId=task["taskId"])["status"] == "completed"
    assert [one["status"] for one in call("task_status")["tasks"]] == ["pending", "completed"]
    given = call("task_orchestrate", task=play(exit=3), maxAgents=5)
    assert given["message"] == "1 sessions are queued"
    until(lambda: call("task_status", taskId=given["taskId"])["status"] in {"completed", "failed"})
    assert call("task_status", taskId=given["taskId"])["status"] == "failed"
    assert call("swarm_health")["status"] == "degraded"
    assert call("task_orchestrate", task="more")["assigned_agents"] == []
    tasks = call("swarm_status", verbose=True)
    assert (tasks["taskCount"], len(tasks["agents"])) == (2, 2)


def test_an_agent_whose_supervisor_was_killed_has_failed(call: Call, until: Until, play: Callable[..., str]) -> None:
    call("swarm_init", maxAgents=1)
    agent = call("agent_spawn", agentType="coder", name="c1", task=play(wait=60))["agentId"]
    until(lambda: state_of(call, "c1") == "running")
    (supervisor,) = marked(f"supervisor-{agent}")
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: state_of(call, "c1") == "failed")
    assert call("agent_status", agentId="c1")["reason"] == "its supervisor was killed"


def test_agents_read_only_results_that_their_topology_gives_them(call: Call, place: Place) -> None:
    call("swarm_init", topology="hierarchical")
    ids = {
        name: call("agent_spawn", agentType=kind, name=name)["agentId"]
        for name, kind in (("lead", "architect"), ("c1", "coder"), ("c2", "coder"))
    }
    seats = {name: Place(place.settings, place.cwd, agent_id=agent_id) for name, agent_id in ids.items()}
    for name, seat in seats.items():
        call("memory_store", seat, key=f"result-{name}", value=f"result of {name}", namespace="results")

    def seen(name: str) -> set[str]:
        return {entry["key"] for entry in call("memory_list", seats[name], namespace="results")["entries"]}

    assert seen("lead") == {"result-lead", "result-c1", "result-c2"}
    assert seen("c1") == {"result-lead", "result-c1"}
    assert call("memory_retrieve", seats["c1"], key="result-c2", namespace="results")["found"] is False
    assert call("memory_list", namespace="results")["total"] == 3
    stranger = Place(place.settings, place.cwd, agent_id="nobody")
    assert call("memory_list", stranger, namespace="results")["total"] == 3
    for seat in (*seats.values(), stranger):
        seat.close()


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("swarm_init", {"topology": "pentagram"}, "INVALID_PARAM", "there are hierarchical, mesh"),
    ("swarm_init", {"maxAgents": 0}, "INVALID_PARAM", "1 to 100"),
    ("swarm_init", {"maxAgents": 10_000}, "INVALID_PARAM", "1 to 100"),
    ("swarm_init", {"strategy": "luck"}, "INVALID_PARAM", "there are specialized"),
    ("swarm_status", {"swarmId": "swarm-0"}, "NOT_FOUND", "no swarm 'swarm-0'"),
    ("swarm_health", {}, "NOT_FOUND", "no swarm"),
    ("agent_spawn", {}, "MISSING_REQUIRED_PARAM", "agentType"),
    ("agent_spawn", {"agentType": "../x"}, "INVALID_PARAM", "agentType is '../x'; it is a name of letters"),
    ("agent_spawn", {"agentType": "coder", "swarmId": "swarm-0"}, "NOT_FOUND", "no swarm"),
    ("agent_status", {"agentId": "agent-0"}, "NOT_FOUND", "no agent 'agent-0'"),
    ("task_status", {"taskId": "task-0"}, "NOT_FOUND", "no task 'task-0'"),
    ("task_create", {"type": "bug", "description": "d", "assignTo": ["x"]}, "NOT_FOUND", "no agent 'x'"),
    ("task_create", {"type": "bug"}, "MISSING_REQUIRED_PARAM", "description"),
]


@pytest.mark.parametrize(("tool", "given", "code", "why"), BAD, ids=range(len(BAD)))
def test_bad_input_is_refused_with_a_reason(
    refuse: Refuse, place: Place, tool: str, given: dict[str, Any], code: str, why: str
) -> None:
    assert (refuse(tool, **given)[0], why in refuse(tool, **given)[1]) == (code, True)
    assert place.swarms.read().swarms == {}


def test_without_a_swarm_the_status_says_so(call: Call) -> None:
    assert call("swarm_status")["status"] == "no_swarm"


def test_a_supervisor_without_its_agent_ends(place: Place) -> None:
    supervise(place.swarms, "agent-0")
    assert place.swarms.read().agents == {}


def test_names_are_not_taken_twice_and_a_closed_swarm_takes_nobody(call: Call, refuse: Refuse) -> None:
    swarm = call("swarm_init")["swarmId"]
    call("agent_spawn", agentType="coder", name="c1", agentId="mine", swarmId=swarm)
    assert "c1" in refuse("agent_spawn", agentType="coder", name="c1")[1]
    assert "mine" in refuse("agent_spawn", agentType="coder", agentId="mine")[1]
    call("swarm_shutdown")
    assert "was shut down" in refuse("agent_spawn", agentType="coder", swarmId=swarm)[1]
    assert call("agent_spawn", agentType="coder")["swarm_info"]["id"] != swarm
    assert call("swarm_status")["active_swarms"] == 1


def test_only_idle_agents_take_a_task(call: Call, refuse: Refuse, until: Until, play: Callable[..., str]) -> None:
    call("agent_spawn", agentType="coder", name="c1", task=play(say="done"))
    assert "only an idle one" in refuse("task_create", type="bug", description="d", assignTo=["c1"])[1]
    until(lambda: state_of(call, "c1") in ENDED)


def test_a_swarm_takes_no_more_than_a_hundred(call: Call, refuse: Refuse) -> None:
    for _ in range(100):
        call("agent_spawn", agentType="coder")
    assert "100 agents already" in refuse("agent_spawn", agentType="coder")[1]


def test_a_report_that_is_none_is_a_failure_with_the_last_words(tmp_path: Path) -> None:
    report, errors = tmp_path / "report.json", tmp_path / "errors.txt"
    report.write_text("")
    errors.write_text("starting\nrunner: codex isn't installed\n")
    outcome = read_outcome(report, errors, 7)
    assert (outcome.state, outcome.reason) == (AgentState.FAILED, "runner: codex isn't installed")
    errors.write_text("")
    assert read_outcome(report, errors, 7).reason == "ended with exit code 7"


def test_a_damaged_state_is_named(place: Place, refuse: Refuse) -> None:
    (place.swarms.folder).mkdir(parents=True)
    (place.swarms.folder / "state.json").write_text("{")
    assert "state.json" in refuse("swarm_status")[1]
    with pytest.raises(StorageUnavailable):
        place.swarms.read()
    (place.swarms.folder / "state.json").unlink()


def test_tasks_are_routed(call: Call) -> None:
    for tool in ("hooks_route", "route_task"):
        told = call(tool, task="explain how the cache works", context="in the shop", useSemanticRouter=True)
        assert (told["platform"], told["mode"], told["source"]) == ("claude-code", "interactive", "regex")


def _processes(call: Call) -> list[psutil.Process]:
    """Supervisors and sessions of the test's own agents."""
    agents = call("agent_list", includeTerminated=True)["agents"]
    return [one for agent in agents for mark in ("", "supervisor-") for one in marked(f"{mark}{agent['agentId']}")]
