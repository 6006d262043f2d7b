"""A design without a list is cut into parts by a planner, and shared out as it stands where that fails."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.agents.claude import HeadlessClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.events import Message
from runner.agents.protocol import Session
from runner.agents.scripted import ScriptedAgent
from runner.runs.run import Run
from runner.settings import Settings
from runner.terminal.progress import PlainProgress
from runner.workflows.model import Worker
from runner.workflows.planning import SCHEMA, Planner, read_plan
from runner.workflows.start import resume
from runner.workflows.state import RunState, Stand
from runner.workflows.wish import Change

Carry = Callable[..., tuple[Run, RunState]]
Cast = Callable[..., None]
Recall = Callable[[str, str, str], Any]
PROSE = [{"say": "A store in one file, a view in another, and tests for both."}]
PLAN = {"tasks": [{"task": "the store", "role": None}, {"task": "the view", "role": "coder"},
                  {"task": "check both", "role": "tester"}]}  # fmt: skip


def shares(state: RunState, phase: str = "implement") -> dict[str, tuple[str, ...]]:
    return {job.worker: job.share for job in state.phases[phase].jobs}


def test_prose_is_cut_into_parts_by_role(carry: Carry, cast: Cast, recall: Recall) -> None:
    cast({"^Design": PROSE, "^Plan": [{"say": f"Here it is: {json.dumps(PLAN)}"}]})
    run, state = carry()
    assert state.stand is Stand.DONE
    assert shares(state) == {
        "coder-1": ("the store",), "coder-2": ("coder: the view",), "tester": ("tester: check both",),
    }  # fmt: skip
    told = (run.archive.session(run.id, "plan") / "prompt.txt").read_text()
    assert "- tester (tester): You write tests" in told
    assert "A store in one file" in told
    assert recall(run.id, "shared", "plan/build-the-thing")["tasks"][2] == "tester: check both"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"say": "I would rather not."}], "the answer is no plan"),
        ([{"say": '{"tasks": []}'}], "the answer is no plan"),
        ([{"fail": "no idea"}], "no idea"),
    ],
)
def test_a_planner_that_fails_leaves_the_work_in_one_piece(
    carry: Carry, cast: Cast, steps: list[dict[str, str]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cast({"^Design": PROSE, "^Plan": steps})
    _, state = carry()
    assert state.stand is Stand.DONE
    assert shares(state) == {"coder-1": ("Build the thing",), "tester": ()}
    assert f"no plan ({said}" in capsys.readouterr().err


def test_nobody_plans_where_there_is_a_list_or_one_worker(carry: Carry, cast: Cast) -> None:
    cast({"^Plan": [{"fail": "not asked"}]})
    for workflow in ("hybrid_development", "phases:\n- {phase: build, workers: [{type: coder}]}\n"):
        run, _ = carry(workflow=workflow)
        assert not run.archive.session(run.id, "plan").exists()


def test_a_new_design_is_planned_anew_and_an_old_plan_is_kept(
    carry: Carry, cast: Cast, settings: Settings, repo: Path
) -> None:
    count = [{"say": json.dumps(PLAN)}]
    cast({"^Design": PROSE, "^Plan": count})
    run, _ = carry()
    other = {"tasks": [{"task": "all", "role": None}]}
    cast({"^Design": PROSE, "^Plan": [{"say": json.dumps(other)}]})
    _, state = resume(run.id, settings, repo, PlainProgress(), change=Change(retry=("implement",)))
    assert shares(state)["coder-1"] == ("the store",)
    _, state = resume(run.id, settings, repo, PlainProgress(), change=Change(retry=("design",)))
    assert shares(state)["coder-1"] == ("all",)


def test_the_programs_are_held_to_the_form(tmp_path: Path) -> None:
    session = Session("3f0c", "plan", tmp_path, tmp_path / "prompt.txt")
    schema = json.loads(SCHEMA.read_bytes())
    claude = Planner(HeadlessClaude(Path("claude"), {}))
    argv = claude.command(session).argv
    assert json.loads(argv[argv.index("--json-schema") + 1]) == schema
    codex = Planner(HeadlessCodex(Path("codex"), {}))
    assert codex.command(session).argv[-3:] == ("--output-schema", str(SCHEMA), "-")
    assert (claude.name, claude.reports_cost, codex.reports_cost) == ("claude", True, False)
    scripted = ScriptedAgent({})
    assert Planner(scripted).command(session) == scripted.command(session)
    for planner in (claude, codex):
        assert planner.resume(session, "v1") == planner.inner.resume(session, "v1")


def test_what_claude_answers_in_the_form_is_what_it_said_last() -> None:
    line = json.dumps({"type": "result", "is_error": False, "result": "done", "structured_output": PLAN})
    events = Planner(HeadlessClaude(Path("claude"), {})).parse(line)
    assert isinstance(events[-1], Message)
    plan, problem = read_plan(events[-1].text)
    assert plan is not None
    assert (len(plan.tasks), problem) == (3, "")
    assert Worker(name="c", role="coder")  # a role that nobody has is left out
    assert plan.points(["tester"])[1:] == ["the view", "tester: check both"]
