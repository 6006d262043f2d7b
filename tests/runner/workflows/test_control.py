"""What a person says about the phases of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.errors import BadInput
from runner.memory.errors import EntryMissing
from runner.memory.opening import open_memory
from runner.runs.run import Run
from runner.settings import Settings
from runner.terminal.progress import PlainProgress
from runner.workflows.control import place_of
from runner.workflows.start import resume
from runner.workflows.state import RunState, Stand
from runner.workflows.wish import Change

Carry = Callable[..., tuple[Run, RunState]]
Cast = Callable[..., None]
GitRun = Callable[..., str]
RunCli = Callable[..., Any]


@pytest.fixture
def change(settings: Settings, repo: Path) -> Callable[..., RunState]:
    """Goes on with a run, something being otherwise."""
    return lambda run, **what: resume(run.id, settings, repo, PlainProgress(), change=Change(**what))[1]


def stands(state: RunState) -> dict[str, str]:
    return {name: phase.stand.value for name, phase in state.phases.items()}


def test_a_phase_that_is_skipped_is_left_out(carry: Carry, change: Callable[..., RunState]) -> None:
    run, state = carry(interactive=True)
    assert stands(state) == {"design": "waiting"}
    state = change(run, skip=("design", "review"))
    assert stands(state) == {"design": "skipped", "implement": "done", "review": "skipped"}
    assert (state.stand, state.verdict) == (Stand.DONE, None)


def test_a_phase_that_is_retried_runs_anew_with_all_that_comes_after(
    carry: Carry, cast: Cast, change: Callable[..., RunState], repo: Path, git: GitRun
) -> None:
    run, _ = carry()
    cast({"^coder-1": [{"write": ["store.txt", "a better store\n"]}, {"say": "Better."}]})
    state = change(run, retry=("implement",))
    assert stands(state) == {"design": "done", "implement": "done", "review": "done"}
    assert git(repo, "show", f"dual/{run.id}/integration:store.txt") == "a better store"
    assert [job.session for job in state.phases["implement"].jobs] == ["coder-1-try-2", "coder-2-try-2", "tester-try-2"]
    assert not run.archive.session(run.id, "design-try-2").exists()
    assert run.archive.session(run.id, "review-try-2").exists()


def test_the_phases_of_a_person_may_be_done_without_one(carry: Carry, change: Callable[..., RunState]) -> None:
    run, state = carry(interactive=True)
    assert state.stand is Stand.WAITING
    state = change(run, interactive=False)
    assert stands(state) == {"design": "done", "implement": "done", "review": "done"}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"skip": ("desing",)}, "--skip desing: .* has no such phase; did you mean 'design'"),
        ({"retry": ("xyz",)}, "--retry xyz: .* there are design, implement, review"),
        ({"skip": ("design",)}, "--skip design: this phase is done; --retry does it again"),
    ],
)
def test_what_cannot_be_is_refused(carry: Carry, change: Callable[..., RunState], what: Any, said: str) -> None:
    run, _ = carry()
    with pytest.raises(BadInput, match=said):
        change(run, **what)


def test_the_command_line_takes_all_of_it(cli: RunCli, cast: Cast) -> None:
    waiting = json.loads(cli("coordinate", "--task", "Build it", "--json").stdout)
    assert waiting["stand"] == "waiting"
    done = cli("resume", waiting["run_id"], "--skip", "design", "--no-interactive", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["phases"]["design"]["stand"], told["verdict"]) == (0, "skipped", "accept")


def test_a_design_from_the_memory_takes_the_place_of_the_design_phase(
    carry: Carry, repo: Path, settings: Settings, change: Callable[..., RunState]
) -> None:
    memory = open_memory(settings, repo)
    memory.store("design/api-feature", {"tasks": ["GET /users", "POST /users", "tester: both"]}, namespace="shared")
    memory.close()
    run, state = carry(design="design/api-feature")
    assert state.phases["design"].reason == "taken from shared/design/api-feature, 3 tasks"
    assert [job.share for job in state.phases["implement"].jobs] == [
        ("GET /users",), ("POST /users",), ("tester: both",),
    ]  # fmt: skip
    assert not run.archive.session(run.id, "design").exists()
    state = change(run, retry=("design",))
    assert run.archive.session(run.id, "design").exists()
    _, state = carry(workflow="phases: [{phase: build, workers: [{type: coder, count: 2}]}]\n",
                     design="shared/design/api-feature")  # fmt: skip
    assert len(state.phases["build"].jobs) == 2


def test_a_design_that_is_not_there_is_said_before_anything_starts(carry: Carry, tmp_path: Path) -> None:
    with pytest.raises(EntryMissing):
        carry(design="design/nothing")
    assert not list(tmp_path.rglob("workflow.json"))


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("design/x", ("shared", "design/x")),
        ("shared/design/x", ("shared", "design/x")),
        ("results/result-a", ("results", "result-a")),
        ("shared", ("shared", "shared")),
    ],
)
def test_a_key_is_shared_unless_it_says_otherwise(written: str, place: tuple[str, str]) -> None:
    assert place_of(written) == place
