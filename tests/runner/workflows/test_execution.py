"""A workflow is carried out: designed, shared out, worked on, merged and reviewed."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.labels import Status
from router.service import Router
from runner.errors import BadInput, Busy
from runner.memory.errors import EntryMissing
from runner.merging.integration import Integration
from runner.runs.run import Run
from runner.settings import Settings
from runner.terminal.progress import PlainProgress
from runner.workflows.catalog import BUILT_IN
from runner.workflows.errors import PhaseFailed, RunUnknown, VariableMissing, WorkflowUnknown
from runner.workflows.start import carry_out, exit_code, resume
from runner.workflows.state import Ledger, RunState, Stand
from runner.workflows.wish import Change

Carry = Callable[..., tuple[Run, RunState]]
Cast = Callable[..., None]
Recall = Callable[[str, str, str], Any]
GitRun = Callable[..., str]
HYBRID = (BUILT_IN / "hybrid_development.yaml").read_text(encoding="utf-8")
REWORK = [{"say": "Not yet.\n- The store needs a lid\nVerdict: rework"}]
TOGETHER = """
phases:
  - phase: build
    workers: [{type: coder, count: 2, task: "Change a.txt"}]
  - {phase: review, platform: claude-code, kind: review}
"""


def prompt(run: Run, session: str) -> str:
    """What a session was told."""
    return (run.archive.session(run.id, session) / "prompt.txt").read_text(encoding="utf-8")


def stands(state: RunState) -> dict[str, str]:
    return {name: phase.stand.value for name, phase in state.phases.items()}


def test_the_hybrid_workflow_designs_implements_in_parallel_and_reviews(
    carry: Carry, repo: Path, git: GitRun, recall: Recall, router: Router
) -> None:
    before = (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch"))
    run, state = carry()
    assert stands(state) == {"design": "done", "implement": "done", "review": "done"}
    assert (state.stand, state.verdict, exit_code(state)) == (Stand.DONE, "accept", 0)
    shares = {job.worker: job.share for job in state.phases["implement"].jobs}
    assert shares == {
        "coder-1": ("Implement the store in store.txt",),
        "coder-2": ("Implement the view in view.txt",),
        "tester": ("Write tests for both",),
    }
    changed = git(repo, "diff", "--name-only", f"main...dual/{run.id}/integration").split()
    assert changed == ["store.txt", "tests.txt", "view.txt"]
    assert (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch")) == before
    assert "Implement the store" in recall(run.id, "shared", "design/build-the-thing")
    result = recall(run.id, "results", "result-coder-1")
    assert (result["status"], result["message"]) == ("succeeded", "The store is there.")
    assert "Write tests for both" in prompt(run, "coder-1")
    assert "Both are tested." in prompt(run, "review")
    ((_, (outcome,), _),) = router.journal.history()
    assert (outcome.status, outcome.accepted, outcome.platform) == (Status.SUCCEEDED, True, "hybrid")


def test_what_a_worker_stored_itself_is_kept(carry: Carry, cast: Cast, recall: Recall) -> None:
    runner = f"{sys.executable} -c 'from runner.cli import entry; entry()'"
    cast({"^coder-1": [{"run": f"{runner} memory store result-coder-1 mine -n results"}]})
    run, _ = carry(workflow="phases: [{phase: build, workers: [{type: coder-1, task: go}]}]\n")
    assert recall(run.id, "results", "result-coder-1") == "mine"


def test_branches_in_conflict_are_told_with_both_sides_and_stay(
    carry: Carry, cast: Cast, repo: Path, git: GitRun
) -> None:
    cast({f"^coder-{n}": [{"write": ["a.txt", f"from {n}\n"]}] for n in (1, 2)})
    run, state = carry(workflow=TOGETHER)
    (conflict,) = state.conflicts
    assert (conflict.worker, conflict.files) == ("coder-2", ("a.txt",))
    assert "from 1" in conflict.sides
    assert "from 2" in conflict.sides
    assert "from 2" in prompt(run, "review")
    assert git(repo, "show", f"dual/{run.id}/integration:a.txt") == "from 1"
    assert git(repo, "show", f"{conflict.branch}:a.txt") == "from 2"
    assert state.stand is Stand.DONE


def test_a_review_that_resolves_a_conflict_ends_it(carry: Carry, cast: Cast, repo: Path, git: GitRun) -> None:
    solve = "b=$(git branch --format='%(refname:short)' --list 'dual/*/coder-2'); git -c user.name=r -c user.email=r@r "
    cast({
        **{f"^coder-{n}": [{"write": ["a.txt", f"from {n}\n"]}] for n in (1, 2)},
        "^Review": [{"run": f"{solve} merge -q -X theirs -m both $b"}, {"say": "Verdict: accept"}],
    })  # fmt: skip
    run, state = carry(workflow=TOGETHER)
    assert state.conflicts == []
    assert git(repo, "show", f"dual/{run.id}/integration:a.txt") == "from 2"


def test_rework_goes_back_to_the_workers_with_the_notes_until_it_is_too_much(
    carry: Carry, cast: Cast, repo: Path, git: GitRun
) -> None:
    cast({"^coder-1: The store needs": [{"write": ["lid.txt", "lid\n"]}, {"say": "It has a lid."}], "^Review": REWORK})
    run, state = carry(workflow=f"rework_rounds: 1\n{HYBRID}")
    assert "The store needs a lid" in prompt(run, "coder-1-round-2")
    assert git(repo, "show", f"dual/{run.id}/integration:store.txt") == "store"
    assert git(repo, "show", f"dual/{run.id}/integration:lid.txt") == "lid"
    assert [job.worker for job in state.phases["implement"].jobs] == ["coder-1"]
    assert (state.stand, state.round) == (Stand.FAILED, 2)
    assert "asks for rework after 1 rounds" in state.reason


def test_work_in_conflict_is_part_of_the_rework_until_it_is_merged(
    carry: Carry, cast: Cast, repo: Path, git: GitRun, settings: Settings
) -> None:
    solve = (
        "git -c user.name=c -c user.email=c@c merge -q -X ours -m both $(git branch --format='%(refname:short)' --list"
    )
    conflict = {f"^coder-{n}": [{"write": ["a.txt", f"from {n}\n"]}] for n in (1, 2)}
    cast({"^coder-1: Look": [{"say": "Done."}], "^coder-2: Merge": [{"say": "I can't."}], **conflict,
          "^Review": [{"say": "- coder-1: Look again\nVerdict: rework"}]})  # fmt: skip
    run, state = carry(workflow=f"rework_rounds: 1\n{TOGETHER}")
    told = prompt(run, "coder-2-round-2")
    assert f"Merge your earlier work in, the branch dual/{run.id}/coder-2" in told
    assert "keep both: a.txt" in told
    assert [one.worker for one in state.conflicts] == ["coder-2"]
    assert "NOT merged" in prompt(run, "review-round-2")
    merged = [{"run": f"{solve} 'dual/*/coder-2')"}, {"say": "Merged."}]
    cast({"^coder-1: Look": [{"say": "Done."}], "^coder-2: Merge": merged, "^Review": [{"say": "Verdict: accept"}]})
    change = Change(retry=("build",))
    _, state = resume(run.id, settings, repo, PlainProgress(), change=change)
    assert (state.stand, state.conflicts) == (Stand.DONE, [])


def test_a_rejected_run_ends_as_rejected(carry: Carry, cast: Cast, router: Router) -> None:
    cast({"^Review": [{"say": "**Verdict: reject**"}]})
    _, state = carry(workflow=TOGETHER)
    assert (state.stand, exit_code(state)) == (Stand.REJECTED, 1)
    ((_, (outcome,), _),) = router.journal.history()
    assert (outcome.status, outcome.accepted) == (Status.REJECTED, False)


def test_a_review_without_a_verdict_waits_for_the_persons(
    carry: Carry, cast: Cast, settings: Settings, repo: Path
) -> None:
    cast({"^Review": [{"say": "Hm."}]})
    run, state = carry(workflow=TOGETHER)
    assert (state.stand, exit_code(state)) == (Stand.WAITING, 8)
    assert f"runner resume {run.id} --verdict" in state.reason
    _, state = resume(run.id[:-2], settings, repo, PlainProgress(), "accept")
    assert (state.stand, state.verdict) == (Stand.DONE, "accept")
    with pytest.raises(PhaseFailed, match=r"no review of run .* waits"):
        resume(run.id, settings, repo, PlainProgress(), "reject")


def test_without_a_terminal_a_phase_with_a_person_waits(
    carry: Carry, settings: Settings, repo: Path, router: Router
) -> None:
    run, state = carry(interactive=True)
    assert stands(state) == {"design": "waiting"}
    assert f"`runner resume {run.id}`" in state.reason
    assert all(not outcomes for _, outcomes, _ in router.journal.history())


def test_a_run_goes_on_where_it_failed_and_repeats_nothing(
    carry: Carry, cast: Cast, settings: Settings, repo: Path, git: GitRun, tmp_path: Path
) -> None:
    count = {"run": f"echo x >> {tmp_path}/design-ran"}
    broken = [{"write": ["half.txt", "half\n"]}, {"fail": "no idea"}]
    design = [count, {"say": "Tasks:\n- coder-1: store\n- coder-2: view"}]
    cast({"^Design": design, "^coder-[12]": broken, "^tester": [{"fail": "no idea"}]})
    run, state = carry()
    assert stands(state) == {"design": "done", "implement": "failed"}
    assert "0 of 3 succeeded; " in state.reason
    cast({"^Design": design})
    _, state = resume(run.id, settings, repo, PlainProgress())
    assert state.stand is Stand.DONE
    assert (tmp_path / "design-ran").read_text() == "x\n"
    assert "cut short" in prompt(run, "coder-1-try-2")
    assert git(repo, "show", f"dual/{run.id}/integration:half.txt") == "half"


def test_failed_workers_are_told_to_the_review_and_the_rest_goes_on(carry: Carry, cast: Cast) -> None:
    cast({"^coder-2": [{"fail": "no idea"}]})
    run, state = carry(workflow=TOGETHER)
    assert state.stand is Stand.DONE
    assert "1 of 2 succeeded; coder-2 failed: no idea" in state.phases["build"].reason
    assert "coder-2: failed (no idea)" in prompt(run, "review")


def test_stop_and_retry_on_failure(carry: Carry, cast: Cast, tmp_path: Path) -> None:
    cast({"^coder-1": [{"run": f"echo x >> {tmp_path}/tries"}, {"fail": "no"}]})
    _, state = carry(workflow="phases: [{phase: build, on_failure: retry, workers: [{type: coder-1, task: go}]}]\n")
    assert (tmp_path / "tries").read_text() == "x\nx\n"
    assert state.stand is Stand.FAILED


def test_checks_run_on_the_merged_work_and_go_to_the_review(carry: Carry) -> None:
    checks = "checks: [cat store.txt view.txt, 'echo broken >&2; false']\n"
    run, state = carry(workflow=checks + HYBRID)
    told = prompt(run, "review")
    assert "passed: cat store.txt view.txt\nstore\nview" in told
    assert "FAILED: echo broken >&2; false\nbroken" in told
    assert "failed check" in state.phases["implement"].reason


def test_variables_are_filled_in_and_never_twice(carry: Carry, settings: Settings, repo: Path) -> None:
    workflow = """
variables: {lang: null}
phases:
  - phase: one
    workers: [{type: coder, task: "In {{lang}}: {{task}} ({{slug}}, {{worker}}, {{role}}, {{phase}}, {{run}})"}]
  - phase: two
    workers: [{type: docs, task: "Explain {{memory:results/result-coder}}"}]
"""
    run, _ = carry(workflow=workflow, task="make {{lang}}", variables={"lang": "Go"})
    assert f"In Go: make {{{{lang}}}} (make-lang, coder, coder, one, {run.id})" in prompt(run, "coder")
    assert '"status": "succeeded"' in prompt(run, "docs")
    with pytest.raises(VariableMissing, match="--var lang=VALUE"):
        carry(workflow=workflow)
    with pytest.raises(BadInput, match="no such variable; did you mean 'lang'"):
        carry(workflow=workflow, variables={"lan": "Go"})


def test_a_memory_entry_that_is_not_there_fails_its_phase(carry: Carry) -> None:
    workflow = "phases: [{phase: one, workers: [{type: coder, task: 'See {{memory:shared/design/{{slug}}}}'}]}]\n"
    _, state = carry(workflow=workflow)
    assert state.stand is Stand.FAILED
    assert "no 'design/build-the-thing' in 'shared'" in state.reason


def test_two_runs_of_one_task_keep_their_designs_apart(carry: Carry, cast: Cast, recall: Recall) -> None:
    design = "phases: [{phase: design, platform: claude-code}]\n"
    first, _ = carry(workflow=design)
    cast({"^Design": [{"say": "Another one."}]})
    second, _ = carry(workflow=design)
    assert "store.txt" in recall(first.id, "shared", "design/build-the-thing")
    assert recall(second.id, "shared", "design/build-the-thing") == "Another one."
    with pytest.raises(EntryMissing):
        recall(second.id, "results", "result-coder-1")


def test_a_design_that_says_nothing_fails(carry: Carry, cast: Cast) -> None:
    cast({"^Design": [{"write": ["plan.md", "plan\n"]}]})
    _, state = carry()
    assert "there is no design" in state.reason


def test_the_steps_of_the_seed_run_as_they_are(carry: Carry, cast: Cast) -> None:
    cast({"^architect": [{"say": "Done."}], "^docs": [{"say": "Done."}]})
    run, state = carry(workflow="parallel_feature")
    assert stands(state) == {"implement": "done", "review": "done"}
    assert "- Implement core" in prompt(run, "coder-1")
    assert "one of 5 sessions" in prompt(run, "docs")


def test_what_an_architect_lists_is_shared_out_where_nobody_designs(carry: Carry, cast: Cast) -> None:
    cast({"^architect": [{"say": "Tasks:\n- the store\n- the view"}]})
    steps = ["spawn: architect", "wait_for: architecture", "spawn: [coder-1, coder-2]", "wait_for: implementation"]
    _, state = carry(workflow="steps:\n" + "".join(f"  - {step}\n" for step in steps) + "  - aggregate_results\n")
    assert [job.share for job in state.phases["implementation"].jobs] == [("the store",), ("the view",)]


def test_what_is_missing_is_said_before_anything_starts(carry: Carry, settings: Settings, repo: Path) -> None:
    with pytest.raises(WorkflowUnknown, match="did you mean 'hybrid_development'"):
        carry(workflow="hybrid_developmnt")
    with pytest.raises(RunUnknown, match="no workflow run '2001'"):
        resume("2001", settings, repo, PlainProgress())


def test_only_one_runner_carries_a_run_out(carry: Carry, settings: Settings, repo: Path) -> None:
    run, _ = carry(workflow="phases: [{phase: design, platform: claude-code}]\n")
    with Ledger.of(run.archive, run.id).held(), pytest.raises(Busy):
        resume(run.id, settings, repo, PlainProgress())


def test_a_damaged_state_is_said_to_be_one(carry: Carry, settings: Settings, repo: Path) -> None:
    run, _ = carry(workflow="phases: [{phase: design, platform: claude-code}]\n")
    Ledger.of(run.archive, run.id).path.write_text("{", encoding="utf-8")
    with pytest.raises(PhaseFailed, match="can't be read"):
        resume(run.id, settings, repo, PlainProgress())


def test_a_merge_that_was_cut_short_is_undone_and_a_lost_checkout_made_anew(
    carry: Carry, cast: Cast, git: GitRun
) -> None:
    cast({f"^coder-{n}": [{"write": ["a.txt", f"from {n}\n"]}] for n in (1, 2)})
    run, state = carry(workflow=TOGETHER)
    path = run.archive.worktree(run.id, "integration")
    with pytest.raises(subprocess.CalledProcessError):
        git(path, "merge", state.conflicts[0].branch)
    (path / "fix.txt").write_text("by hand\n", encoding="utf-8")
    integration = Integration.open(run, state.base)
    assert git(path, "status", "--porcelain") == ""
    assert git(path, "show", "HEAD:fix.txt") == "by hand"
    tip = integration.tip
    shutil.rmtree(path)
    assert Integration.open(run, state.base).tip == tip
    assert (path / "fix.txt").exists()


def test_a_stopped_run_is_cancelled_and_goes_on_later(
    carry: Carry, settings: Settings, repo: Path, ledger: Callable[[str], RunState]
) -> None:
    run, state = carry(workflow=TOGETHER)
    again = state.model_copy(update={"phases": {}})
    run.stop.set()
    stopped = carry_out(run, settings, again)
    assert (stopped.stand, exit_code(stopped)) == (Stand.CANCELLED, 130)
    assert ledger(run.id).stand is Stand.CANCELLED
    assert resume(run.id, settings, repo, PlainProgress())[1].stand is Stand.DONE


def test_a_design_may_be_a_file_and_reaches_the_workers(carry: Carry, cast: Cast, repo: Path, git: GitRun) -> None:
    cast({"^Design": [{"write": ["plan.md", "plan\n"]}, {"say": "Tasks:\n- coder-1: follow plan.md"}],
          "^coder-1": [{"run": "cat plan.md > seen.txt"}]})  # fmt: skip
    run, _ = carry()
    assert git(repo, "show", f"dual/{run.id}/integration:seen.txt") == "plan"


def test_a_failed_design_stops_unless_it_may_be_missing(carry: Carry, cast: Cast) -> None:
    cast({"^Design": [{"fail": "no idea"}]})
    _, state = carry()
    assert (stands(state), state.reason) == ({"design": "failed"}, "design: no idea")
    lenient = HYBRID.replace("  - phase: design\n", "  - phase: design\n    on_failure: continue\n")
    _, state = carry(workflow=lenient, task="Build:\n- coder-1: it")
    assert (stands(state)["design"], state.stand) == ("failed", Stand.DONE)
