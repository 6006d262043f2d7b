"""Sessions of a workflow read whose results its topology says, through the tools and on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.service import Router
from runner.mcp.place import Place
from runner.mcp.reach import hidden_for
from runner.memory.opening import home_of
from runner.settings import Settings
from runner.terminal.progress import PlainProgress
from runner.workflows.start import coordinate
from runner.workflows.state import RunState
from runner.workflows.wish import Wish

from .conftest import Call

WORKFLOW = """
steps:
  - swarm_init: { topology: %s, maxAgents: 3 }
  - spawn: [architect, coder-1, coder-2, docs]
  - wait_for_completion
"""


@pytest.fixture
def carried_out(
    tmp_path: Path, repo: Path, settings: Settings, router: Router, in_environment: None
) -> Callable[[str], RunState]:
    """Carries four workers out in a topology; each says its task back."""

    def run(topology: str) -> RunState:
        path = tmp_path / "own.yaml"
        path.write_text(WORKFLOW % topology)
        task = "Build:\n- coder-1: one\n- coder-2: two\n- docs: three\n- architect: all"
        return coordinate(Wish(str(path), task, {}, interactive=False), settings, repo, PlainProgress())[1]

    return run


CREW = {"architect", "coder-1", "coder-2", "docs"}
READS = [
    ("hierarchical", {"architect": CREW, "coder-1": {"architect"}, "docs": {"architect"}}),
    ("hierarchical-mesh", {"architect": CREW, "coder-1": {"architect", "coder-2"}, "docs": {"architect"}}),
    ("mesh", {"architect": CREW, "coder-1": CREW, "docs": CREW}),
]


@pytest.mark.parametrize(("topology", "reads"), READS)
def test_a_worker_sees_the_results_that_are_for_it(
    carried_out: Callable[[str], RunState], repo: Path, settings: Settings, call: Call, topology: str,
    reads: dict[str, set[str]],
) -> None:  # fmt: skip
    state = carried_out(topology)
    for worker, seen in reads.items():
        place = Place(settings, repo, state.run_id, worker)
        listed = call("memory_list", at=place, namespace="results")["entries"]
        assert {one["key"].removeprefix("result-") for one in listed} == seen | {worker}
        place.close()
    everybody = Place(settings, repo, state.run_id)
    assert call("memory_list", at=everybody, namespace="results")["total"] == 4
    everybody.close()


def test_the_command_line_hides_the_same(
    carried_out: Callable[[str], RunState], cli: Callable[..., Any], repo: Path, settings: Settings
) -> None:
    state = carried_out("hierarchical")
    known = {"RUNNER_RUN_ID": state.run_id, "RUNNER_AGENT_ID": "coder-1"}
    listed = json.loads(cli("memory", "list", "--namespace", "results", "--json", **known).stdout)
    assert {one["key"] for one in listed["entries"]} == {"result-architect", "result-coder-1"}
    assert cli("memory", "get", "result-coder-2", "-n", "results", **known).returncode != 0
    assert cli("memory", "get", "result-coder-2", "-n", "results").returncode == 0
    home = home_of(repo, settings)
    assert hidden_for(home, state.run_id, "coder-1") == {"coder-2", "docs"}
    assert hidden_for(home, state.run_id, "design") == hidden_for(home, "../x", "coder-1") == frozenset()
    assert hidden_for(home, "no-such-run", "coder-1") == hidden_for(home, state.run_id, "") == frozenset()


def test_later_workers_are_told_of_the_results_that_are_for_them(
    tmp_path: Path, repo: Path, settings: Settings, router: Router, in_environment: None
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "steps:\n- swarm_init: {topology: hierarchical}\n- spawn: [architect, docs]\n- wait_for: first\n"
        "- spawn: [coder-1]\n- wait_for: second\n"
    )
    task = "Build:\n- coder-1: one\n- docs: two\n- architect: all"
    run, _ = coordinate(Wish(str(path), task, {}, interactive=False), settings, repo, PlainProgress())
    told = (run.archive.session(run.id, "coder-1") / "prompt.txt").read_text()
    assert "Result of architect" in told
    assert "Result of docs" not in told
