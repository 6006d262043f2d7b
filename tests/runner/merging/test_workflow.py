"""A workflow's run is accepted, rejected and cleaned up like any other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.labels import Status
from router.service import Router
from runner.acceptance.harvest import Finished
from runner.workflows.state import Ledger, Stand

GitRun = Callable[..., str]
RunCli = Callable[..., Any]
STEPS = {"^Design": [{"say": "Tasks:\n- Implement the store"}],
         "^coder-1": [{"write": ["store.txt", "store\n"]}, {"say": "Done."}],
         "^Review": [{"say": "Verdict: {verdict}"}]}  # fmt: skip
WORKFLOW = """phases:
- {phase: design, platform: claude-code}
- {phase: implement, platform: codex, workers: [{type: coder, count: 2}]}
- {phase: review, platform: claude-code}
"""


@pytest.fixture
def carry_out(cli: RunCli, environ: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Carries a workflow out without a person and returns its run."""
    environ |= {"RUNNER_SCRIPTS": str(tmp_path / "scripts.json"), "RUNNER_PASS_ENV": "COVERAGE_*,RUNNER_SCRIPTS"}
    (tmp_path / "own.yaml").write_text(WORKFLOW)

    def run(verdict: str, *args: str) -> str:
        (tmp_path / "scripts.json").write_text(json.dumps(STEPS).replace("{verdict}", verdict))
        wish = ("--workflow", str(tmp_path / "own.yaml"), "--task", "Build the store")
        done = cli("coordinate", *wish, "--json", *(args or ("--no-interactive",)))
        return str(json.loads(done.stdout)["run_id"])

    return run


CarryOut = Callable[..., str]


def test_what_the_review_accepted_is_taken_over_and_cleaned_up(
    carry_out: CarryOut, cli: RunCli, repo: Path, git: GitRun, router: Router, place: Finished
) -> None:
    run = carry_out("accept")
    told = json.loads(cli("accept", run, "--json").stdout)
    assert (told["branch"], told["how"], told["left"]) == ("main", "forwarded", [])
    assert (repo / "store.txt").read_text() == "store\n"
    ((_, (outcome,), _),) = router.journal.history()
    assert (outcome.status, outcome.accepted, outcome.run_id) == (Status.SUCCEEDED, True, run)
    assert cli("clean", run).returncode == 0
    assert git(repo, "branch", "--list", "dual/*") == ""
    assert not (place.archive.folder / "runs" / run).exists()


def test_the_person_has_the_last_word(carry_out: CarryOut, cli: RunCli, router: Router, place: Finished) -> None:
    run = carry_out("accept")
    assert cli("reject", run).returncode == 0
    ((_, (outcome,), _),) = router.journal.history()
    assert (outcome.status, outcome.accepted) == (Status.REJECTED, False)
    assert Ledger.of(place.archive, run).read().stand is Stand.REJECTED
    assert cli("accept", run).returncode == 0
    ((_, (outcome,), _),) = router.journal.history()
    assert (outcome.status, outcome.accepted) == (Status.SUCCEEDED, True)


def test_a_workflow_that_is_not_done_is_gone_on_with_first(carry_out: CarryOut, cli: RunCli, repo: Path) -> None:
    run = carry_out("what do you think?")
    for command in ("accept", "reject"):
        done = cli(command, run)
        assert (done.returncode, f"`runner resume {run}` goes on with it" in done.stderr) == (2, True), done.stderr
    assert not (repo / "store.txt").exists()
