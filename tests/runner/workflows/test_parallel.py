"""Phases that do not need each other go on at the same time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.orders.execute import Order
from runner.runs.run import Run
from runner.workflows.execution import Execution
from runner.workflows.site import Site
from runner.workflows.state import RunState, Stand

Carry = Callable[..., tuple[Run, RunState]]
Cast = Callable[..., None]
GitRun = Callable[..., str]
TWO = """
phases:
  - {phase: left, platform: codex, workers: [{type: coder, task: left}]}
  - {phase: right, platform: codex, after: [], workers: [{type: docs, task: right}]}
  - {phase: review, platform: claude-code, kind: review, after: [left, right]}
"""


def meeting(folder: Path, mine: str, other: str) -> dict[str, str]:
    """A step that ends once the other one has begun, or gives up after a while."""
    wait = f"n=0; while [ ! -e {folder}/{other} ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n+1)); done"
    return {"run": f"touch {folder}/{mine}; {wait}; [ -e {folder}/{other} ] && echo met > met-{mine}.txt"}


def stands(state: RunState) -> dict[str, str]:
    return {name: phase.stand.value for name, phase in state.phases.items()}


def test_two_phases_that_need_nothing_of_each_other_meet_and_both_are_merged(
    carry: Carry, cast: Cast, repo: Path, git: GitRun, tmp_path: Path
) -> None:
    cast({"^coder": [meeting(tmp_path, "left", "right")], "^docs": [meeting(tmp_path, "right", "left")]})
    run, state = carry(workflow=TWO)
    assert stands(state) == {"left": "done", "right": "done", "review": "done"}
    changed = git(repo, "diff", "--name-only", f"main...dual/{run.id}/integration").split()
    assert changed == ["met-left.txt", "met-right.txt"]
    assert state.tip == git(repo, "rev-parse", f"dual/{run.id}/integration")


def test_work_is_merged_in_the_order_of_the_file_whichever_ends_first(
    carry: Carry, cast: Cast, repo: Path, git: GitRun, tmp_path: Path
) -> None:
    ended = f"{tmp_path}/home/repositories/*/runs/*/docs/exit.json"
    later = {
        "run": f"n=0; until [ -e {ended} ] || [ $n -gt 300 ]; do sleep 0.1; n=$((n+1)); done; ls {ended} > seen.txt"
    }
    writes = {name: [{"write": [f"{name}.txt", f"{name}\n"]}] for name in ("docs", "tester")}
    cast({"^coder": [later], **{f"^{name}": steps for name, steps in writes.items()}})
    third = "  - {phase: last, platform: codex, after: left, workers: [{type: tester, task: last}]}\n"
    first, right, review = TWO.strip("\n").splitlines(keepends=True)[1:]
    run, state = carry(workflow=f"phases:\n{first}{third}{right}{review}".replace("[left, right]", "[last, right]"))
    assert state.stand is Stand.DONE, state
    merged = git(repo, "log", "--first-parent", "--reverse", "--format=%s", f"main..dual/{run.id}/integration")
    assert merged.splitlines() == ["dual: merge coder", "dual: merge tester", "dual: merge docs"]
    assert "docs/exit.json" in git(repo, "show", f"dual/{run.id}/integration:seen.txt")


def test_all_phases_together_keep_to_the_number_of_sessions(carry: Carry, cast: Cast, tmp_path: Path) -> None:
    log = tmp_path / "log"
    alone = [{"run": f"echo begin >> {log}; sleep 0.3; echo end >> {log}"}]
    cast({"^coder": alone, "^docs": alone})
    _, state = carry(workflow=TWO, order=Order((), workers=1))
    assert state.stand is Stand.DONE
    assert log.read_text().split() == ["begin", "end"] * 2


def test_what_waits_for_a_person_holds_up_only_what_comes_after_it(carry: Carry) -> None:
    workflow = """
phases:
  - {phase: talk, platform: claude-code, interactive: true}
  - {phase: prepare, platform: codex, after: [], workers: [{type: coder-1, task: prepare}]}
  - {phase: document, platform: codex, after: prepare, workers: [{type: docs, task: explain}]}
  - {phase: build, platform: codex, after: [talk, document], workers: [{type: coder-2, task: build}]}
"""
    _, state = carry(workflow=workflow, interactive=True)
    assert stands(state) == {"talk": "waiting", "prepare": "done", "document": "done"}
    assert state.stand is Stand.WAITING
    assert "talk: needs a person" in state.reason


def test_a_phase_that_fails_lets_the_others_end_and_nothing_new_begin(carry: Carry, cast: Cast, tmp_path: Path) -> None:
    both = meeting(tmp_path, "left", "right"), meeting(tmp_path, "right", "left")  # one that is not begun yet never is
    cast({"^coder": [both[0], {"fail": "no idea"}], "^docs": [both[1], {"wait": 0.5}]})
    _, state = carry(workflow=TWO.replace("kind: review", "kind: review, on_failure: stop"))
    assert stands(state) == {"left": "failed", "right": "done"}
    assert state.reason.startswith("left: 0 of 1 succeeded")


def test_a_state_that_cannot_be_written_ends_the_run_and_its_sessions(
    carry: Carry, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Site] = []

    def fail(self: Execution, *_: Any) -> None:
        begun.append(self.site)
        raise OSError(28, "no space")

    monkeypatch.setattr(Execution, "_step", fail)
    with pytest.raises(OSError, match="no space"):
        carry(workflow=TWO)
    assert all(site.run.stop.is_set() for site in begun)
