"""The commands of workflows, as a user calls them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from router.labels import Status
from router.service import Router
from runner.census import kill_marked
from runner.checkout.repository import Repository
from runner.runs.archive import Archive
from runner.settings import Settings

from .conftest import PARTS, RUNNER

RunCli = Callable[..., subprocess.CompletedProcess[str]]
Cast = Callable[..., None]
GitRun = Callable[..., str]


def test_a_workflow_is_carried_out_and_its_results_are_collected(cli: RunCli, cast: Cast, repo: Path) -> None:
    done = cli("coordinate", "--workflow", "hybrid_development", "--task", "Build it", "--no-interactive", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["stand"], told["workflow"], told["verdict"]) == ("done", "hybrid_development", "accept")
    assert [one["key"] for one in told["results"]] == ["result-coder-1", "result-coder-2", "result-tester"]
    summary = cli("collect", "--namespace", "results").stdout
    assert "results: 3 results\n  result-coder-1: succeeded: The store is there.\n" in summary
    detailed = cli("collect", "--namespace", "results", "--format", "detailed", "--filter", "tester").stdout
    assert detailed.count("\n== ") == 1
    assert '"message": "Both are tested."' in detailed
    as_json = json.loads(cli("collect", "--format", "json", "--run", told["run_id"]).stdout)
    assert as_json["count"] == 3
    status = cli("status").stdout
    assert "coder-1" in status
    accepted = cli("accept", told["run_id"])
    assert accepted.returncode == 0, accepted.stderr
    assert (repo / "store.txt").read_text() == "store\n"
    assert "The store is there." in cli("logs", told["run_id"], "coder-1").stdout


def test_the_end_is_told_with_the_branch_and_the_results(cli: RunCli, cast: Cast) -> None:
    cast({f"^coder-{n}": [{"write": ["a.txt", f"{n}\n"]}, {"say": "done"}] for n in (1, 2)})
    done = cli("coordinate", "--task", "Build it", "--no-interactive")
    assert "implement: done, 3 of 3 succeeded; 1 in conflict" in done.stdout
    assert "coder-2 is not merged; a.txt changed on both sides" in done.stdout
    assert "\n✨ Dual workflow complete\nresults: 3 results\n" in done.stdout


def test_a_person_designs_and_reviews_in_the_terminal(run_in_terminal: Any, repo: Path, git: GitRun) -> None:
    terminal = run_in_terminal("coordinate", "--task", "Build it", CLAUDE_TEST="store")
    terminal.expect(f"CLAUDE GOT Design, before anything is implemented: Build it IN {repo}")
    terminal.sendline("")
    terminal.expect("design in shared/design/build-it, 2 tasks")
    terminal.expect("CLAUDE GOT Review the work on: Build it IN .*integration")
    terminal.sendline("")
    terminal.expect("What came of the review")
    terminal.send("a")
    terminal.expect("Dual workflow complete")
    terminal.expect(pexpect.EOF)
    branch = git(repo, "branch", "--list", "dual/*/integration", "--format", "%(refname:short)")
    assert git(repo, "show", f"{branch}:fixed.txt") == "fixed"
    assert git(repo, "show", f"{branch}:store.txt") == "store"


def test_execute_carries_a_hybrid_task_out_and_a_person_may_send_it_back(
    run_in_terminal: Any, cast: Cast, cli: RunCli, router: Router
) -> None:
    terminal = run_in_terminal("execute", "--platform", "hybrid", "Build it", CLAUDE_TEST="store")
    terminal.expect("CLAUDE GOT Design")
    terminal.sendline("")
    for key in "ra":
        terminal.expect("CLAUDE GOT Review the work on: Build it")
        terminal.sendline("")
        terminal.expect("What came of the review")
        terminal.send(key)
    terminal.expect("Dual workflow complete: `runner collect --run")
    terminal.expect(pexpect.EOF)
    cli("send")  # the worker may have sent it already
    ((_, (outcome,), _),) = router.journal.history()
    assert (outcome.status, outcome.accepted) == (Status.SUCCEEDED, True)
    planned = cli("execute", "--platform", "hybrid", "--dry-run", "Build it", RUNNER_CLAUDE=sys.executable)
    assert "hybrid" in planned.stdout


def test_a_design_that_nobody_stored_is_shown_for_confirmation(run_in_terminal: Any) -> None:
    terminal = run_in_terminal("execute", "--platform", "hybrid", "Build it")
    terminal.expect("CLAUDE GOT Design")
    terminal.sendline("")
    terminal.expect(r"- from the transcript\s+Nothing was stored. Is this the design\?")
    terminal.send("n")
    terminal.expect("the design was not confirmed")
    found = terminal.expect([r"runner logs \S+", "nothing"])
    assert found == 0
    terminal.expect(pexpect.EOF)


@pytest.mark.parametrize(
    ("hit", "sent", "attempts"),
    [
        pytest.param("design", signal.SIGKILL, 1, id="in the design"),
        pytest.param("coder-1", signal.SIGKILL, 1, id="in the work"),
        pytest.param("review", signal.SIGKILL, 1, id="in the review"),
        pytest.param("coder-1", signal.SIGKILL, 2, id="with its session"),
        pytest.param("coder-1", signal.SIGHUP, 1, id="its terminal was closed"),
    ],
)
def test_a_killed_run_goes_on_and_begins_no_session_again(
    cli: RunCli, cast: Cast, repo: Path, environ: dict[str, str], tmp_path: Path, settings: Settings, hit: str,
    sent: signal.Signals, attempts: int,
) -> None:  # fmt: skip
    go_on = f"[ -e {tmp_path}/go ] || touch {tmp_path}/hangs; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    pattern = f"^{hit}".replace("^d", "^D").replace("^r", "^R")
    cast({pattern: [{"write": ["half.txt", "half\n"]}, {"run": go_on}, *PARTS[pattern]]})
    argv = [*RUNNER, "coordinate", "--task", "Build it", "--no-interactive", "--workers", "1"]
    with subprocess.Popen(argv, cwd=repo, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as runner:
        deadline = time.monotonic() + 120
        while not (tmp_path / "hangs").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(runner.pid, sent)
    archive = Archive.of(Repository.around(repo), settings.data_folder())
    (run,) = (path.parent.name for path in archive.folder.glob("runs/*/workflow.json"))
    if attempts > 1:
        kill_marked(next(one for one in archive.entries() if one.record.worker == hit).record.session_id)
    (tmp_path / "go").touch()
    done = cli("resume", run)
    assert done.returncode == 0, done.stderr
    begun = {entry.record.worker: entry.ending.attempts for entry in archive.entries() if entry.ending}
    expected = dict.fromkeys(("design", "coder-1", "coder-2", "tester", "review"), 1)
    assert begun == expected | {hit: attempts}
    assert cli("resume", run).stdout.endswith("Both are tested.\n")


def test_changes_that_workers_would_not_see_are_refused_unless_allowed(
    cli: RunCli, cast: Cast, repo: Path, git: GitRun
) -> None:
    (repo / "a.txt").write_text("changed\n")
    order = ("coordinate", "--task", "Build it", "--no-interactive")
    refused = cli(*order)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "uncommitted changes in a.txt; commit or stash them" in refused.stderr
    assert git(repo, "branch", "--list", "dual/*") == ""
    allowed = cli(*order, "--allow-dirty")
    assert allowed.returncode == 0, allowed.stderr
    assert "workers start from a commit: they do not see a.txt" in allowed.stderr
    assert (repo / "a.txt").read_text() == "changed\n"


def test_workflows_are_listed_shown_checked_and_drawn(cli: RunCli, repo: Path, tmp_path: Path) -> None:
    own = repo / ".dual/workflows"
    own.mkdir(parents=True)
    (own / "bad.yaml").write_text("phases:\n- {phase: a, platfrm: codex}\n")
    listed = cli("workflows", "list").stdout
    assert "hybrid_development       built in  design together" in listed
    assert "can't be carried out" in listed
    rows = json.loads(cli("workflows", "list", "--json").stdout)["workflows"]
    assert [row["name"] for row in rows] == ["bad", "design_and_execute", "hybrid_development", "parallel_feature"]
    assert (
        "implement: work, codex, 5 workers; on failure continue\n  - architect (architect): Design feature"
        in cli("workflows", "show", "parallel_feature").stdout
    )
    assert json.loads(cli("workflows", "show", "parallel_feature", "--json").stdout)["topology"] == "hierarchical"
    checked = cli("workflows", "validate", "bad", "hybrid_development")
    assert checked.returncode == 2
    assert ".dual/workflows/bad.yaml:2:14: phases.0.platfrm: there is no 'platfrm' here" in checked.stderr
    assert checked.stdout == "hybrid_development: good, 3 phases, 3 workers\n"
    problems = json.loads(cli("workflows", "validate", "bad", "--json").stdout)
    assert (problems["valid"], problems["problems"][0]["line"]) == (False, 2)
    assert "│ codex, 3 workers" in cli("workflows", "graph", "hybrid_development").stdout
    assert cli("workflows", "graph", "hybrid_development", "--format", "mermaid").stdout.startswith("flowchart TD\n")
    written = cli("workflows", "graph", "hybrid_development", "--format", "svg", "--output", "w.svg", cwd=tmp_path)
    assert written.stdout == "w.svg: written\n"
    assert (tmp_path / "w.svg").read_text().startswith("<svg")
    assert "PhasesFile" in json.loads(cli("workflows", "schema").stdout)["$defs"]


def test_what_cannot_be_carried_out_is_refused_before_anything_starts(
    cli: RunCli, cast: Cast, environ: dict[str, str]
) -> None:
    for args, told in (
        (("--workflow", "nothing"), "no workflow 'nothing'"),
        (("--var", "x"), "--var x: write it as NAME=VALUE"),
        (("--var", "x=1"), "has no such variable; it has none"),
        (("--workflow", "./none.yaml"), "none.yaml:1:1: can't be read"),
    ):
        done = cli("coordinate", "--task", "Build it", "--no-interactive", *args)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
    assert not list((Path(environ["RUNNER_HOME"])).rglob("workflow.json"))
