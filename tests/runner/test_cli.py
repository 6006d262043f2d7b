"""The command line: results on stdout, sentences on stderr, a documented exit code for everything."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.labels import Platform, Status
from router.schemas import Outcome
from router.service import Router
from runner.outcomes.letter import leave

Script = Callable[..., str]
GitRun = Callable[..., str]
RunCli = Callable[..., Any]


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    heavy = "{'pydantic', 'rich', 'httpx2', 'psutil'} & set(sys.modules)"
    code = "import sys; from runner.cli import entry; sys.argv = ['runner', '--help']\ntry: entry()\n"
    code += f"finally: sys.exit(str({heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "execute" in done.stdout
    assert done.stderr == "set()\n"


def test_a_run_is_reported_for_people_and_for_programs(
    cli: RunCli, script: Script, router: Router, deliver: Callable[[], int]
) -> None:
    task = script(say="I write.", write=["one.txt", "1\n2\n"], use=1234)
    for_people = cli("execute", "--platform", "codex", task)
    assert for_people.returncode == 0
    assert "1 file +2 -0" in for_people.stdout
    assert "git merge dual/" in for_people.stdout
    assert "--good" in for_people.stdout
    assert "writes one.txt" in for_people.stderr

    for_programs = cli("execute", "--json", "--platform", "codex", task)
    report = json.loads(for_programs.stdout)
    (told,) = report["tasks"]
    assert report["checkout_untouched"]
    assert (told["status"], told["tokens"], told["diff"]["added"]) == ("succeeded", 1234, 2)
    assert told["next"][0] == f"git diff main...{told['branch']}"
    assert deliver() == 0
    assert len(router.decisions()) == 2


def test_what_the_user_should_know_is_said_below_the_table(
    cli: RunCli, script: Script, repo: Path, tmp_path: Path
) -> None:
    forgotten = Outcome(decision_id="forgotten", run_id="r1", platform="codex", status=Status.SUCCEEDED)
    leave(tmp_path / "home/outbox", "1", forgotten)
    done = cli("execute", "--platform", "codex", script(run=f"touch {repo}/intruder"))
    assert done.returncode == 0
    assert "no changes" in done.stdout
    assert "Your checkout changed while the run was under way" in done.stdout
    assert "Outcomes that the router does not have yet: 1." in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dangerously-skip-permissions",),
        ("--json", "--dangerously-skip-permissions"),
        ("--", "--dangerously-skip-permissions"),
        ("--dangerously-skip-permissions", "--workers", "1"),
    ],
)
def test_a_word_that_is_no_option_is_a_task(cli: RunCli, arguments: tuple[str, ...]) -> None:
    done = cli("execute", "--platform", "codex", *arguments)
    assert done.returncode == 0
    assert "1-dangerously-skip-per: succeeded" in done.stderr


def test_a_misspelt_option_is_a_task_and_the_user_is_told(cli: RunCli) -> None:
    done = cli("execute", "--platform", "codex", "--dry-rum")
    assert done.returncode == 0
    assert "runner: --dry-rum is taken as a task; the option is called --dry-run\n" in done.stderr


def test_a_dry_run_shows_commands_and_leaves_nothing(cli: RunCli, repo: Path, tmp_path: Path, git: GitRun) -> None:
    for_people = cli("execute", "--dry-run", "write tests", "--", "--help me")
    assert for_people.returncode == 0
    assert "1-write-tests: codex" in for_people.stdout
    assert "-- ' --help me'" in for_people.stdout
    report = json.loads(cli("execute", "--dry-run", "--json", "write tests").stdout)
    assert report["tasks"][0]["decision"]["platform"] == Platform.CODEX
    assert not (tmp_path / "home").exists()
    assert git(repo, "branch", "--list", "dual/*") == ""


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "no task given"),
        (("   ",), 2, "the task is blank"),
        (("x" * 40_000,), 2, "at most 32768"),
        ((b"fix \xff it",), 2, "not valid text"),
        (("--workers", "0", "hi"), 2, "--workers"),
        (("--platform", "gemini", "hi"), 2, "--platform"),
        (("--timeout",), 2, "requires an argument"),
        (("--tasks-file", "nowhere"), 2, "No such file"),
        (("--base", "nowhere", "hi"), 2, "no such commit"),
        (("explain it",), 8, "needs a person at a terminal"),
        (("--platform", "codex", '[{"fail": "no idea"}]'), 1, "no idea"),
    ],
)
def test_what_cannot_succeed_ends_with_its_code_and_a_sentence(
    cli: RunCli, arguments: tuple[str | bytes, ...], code: int, sentence: str
) -> None:
    done = cli("execute", *arguments)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environ", "code", "sentence"),
    [
        ({"RUNNER_TIMEOUT_S": "soon"}, 2, "RUNNER_TIMEOUT_S=soon: Input should be a valid number"),
        ({"RUNNER_HEADLESS": "gemini"}, 2, "RUNNER_HEADLESS=gemini"),
        ({"RUNNER_HOME": "/proc/nowhere"}, 5, "RUNNER_HOME to a folder that can be written"),
        ({"RUNNER_ROUTER_URL": "http://127.0.0.1:9"}, 6, "router service at http://127.0.0.1:9"),
        ({"RUNNER_HEADLESS": "codex", "RUNNER_CODEX": "/nowhere"}, 7, "codex is no program at /nowhere"),
        ({"PATH": "/nowhere"}, 7, "git can't be started"),
    ],
)
def test_a_bad_setting_ends_with_its_code_and_a_sentence(
    cli: RunCli, environ: dict[str, str], code: int, sentence: str
) -> None:
    done = cli("execute", "--platform", "codex", "hi", **environ)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_repository_the_way_into_one_is_told(cli: RunCli, tmp_path: Path) -> None:
    done = cli("execute", "hi", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "git init" in done.stderr


def test_on_a_full_disk_nothing_is_started(repo: Path, environ: dict[str, str]) -> None:
    # A limit on the size of files stands for the disk: small files can be written, a record can't.
    limit = (
        "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "execute", "--platform", "codex", "hi"]
    env = {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", limit, *argv], cwd=repo, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert "run.json: can't be written (File too large); free some space" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_before_anything_is_started_ends_at_once(repo: Path, environ: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tasks")
    argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "execute", f"--tasks-file={tmp_path}/tasks"]
    runner = subprocess.Popen(argv, cwd=repo, env=environ)
    with (tmp_path / "tasks").open("wb"):  # opens once the runner waits for tasks
        runner.send_signal(2)
        assert runner.wait() == 130


def test_feedback_reaches_the_router(cli: RunCli, router: Router) -> None:
    decision_id = router.route("write tests").decision_id
    assert router.decisions()  # asking makes sure that it is written
    for options in (("--good",), ("--bad",), ("--should-be", "hybrid")):
        done = cli("feedback", decision_id, *options)
        assert (done.returncode, done.stdout) == (0, f"{decision_id}: noted\n")
    corrections = router.journal.history()[0][2]
    assert [(one.verdict, one.platform) for one in corrections] == [("good", None), ("bad", None), ("bad", "hybrid")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("x",), "say one of --good, --bad and --should-be"),
        (("x", "--good", "--bad"), "say one of"),
        (("x", "--should-be", "auto"), "say one of"),
        (("no id!", "--good"), "is no decision id"),
        (("unknown", "--good"), "no decision"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused(cli: RunCli, arguments: tuple[str, ...], sentence: str) -> None:
    done = cli("feedback", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_status_and_logs_show_what_was_done(cli: RunCli, script: Script) -> None:
    cli("execute", "--platform", "codex", script(say="first"), script(say="second", run="ls", print="?", exit=3))
    cli("execute", "explain it")
    listed = cli("status")
    assert listed.returncode == 0
    assert [word in listed.stdout for word in ("1-say-first", "failed", "waiting", "dual/")] == [True] * 4
    tasks = json.loads(cli("status", "--json").stdout)["tasks"]
    assert [task["status"] for task in tasks] == ["succeeded", "failed", "waiting"]

    run = tasks[0]["run_id"]
    both = cli("logs", run)
    assert "first\n" in both.stdout
    assert "second\nshell: ls\n" in both.stdout
    assert "first" not in cli("logs", run, "2").stdout
    assert "no output was kept" in cli("logs", tasks[2]["run_id"]).stdout

    refusals = {("nowhere",): "no run 'nowhere'", ("2",): "several runs begin with '2'", (run, "9"): "no worker '9'"}
    for arguments, sentence in refusals.items():
        refused = cli("logs", *arguments)
        assert (refused.returncode, sentence in refused.stderr) == (2, True)


def test_the_doctor_names_what_is_missing(cli: RunCli, tmp_path: Path) -> None:
    claude = tmp_path / "claude"
    claude.write_text("#!/bin/sh\necho 1.0\n")
    claude.chmod(0o755)
    fine = cli("doctor", RUNNER_CLAUDE=str(claude), RUNNER_CODEX="/nowhere")
    assert fine.returncode == 0
    assert "without  codex: codex is no program at /nowhere" in fine.stdout
    assert f"ok       claude: 1.0 at {claude}, logged in" in fine.stdout
    assert "in process" in fine.stdout

    ill = cli("doctor", "--json", cwd=tmp_path, RUNNER_CLAUDE="/nowhere", RUNNER_HOME="/proc/nowhere")
    assert ill.returncode == 1
    report = json.loads(ill.stdout)
    assert not report["runnable"]
    assert {check["name"] for check in report["checks"] if not check["ok"]} >= {"repository", "claude", "data folder"}


def test_an_old_git_is_not_enough(cli: RunCli, tmp_path: Path) -> None:
    old = tmp_path / "bin/git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.17.1\n")
    old.chmod(0o755)
    done = cli("doctor", PATH=f"{old.parent}:/usr/bin:/bin")
    assert done.returncode == 1
    assert "MISSING  git: git is too old (git version 2.17.1); install git 2.31 or newer" in done.stdout


def test_the_demo_provider_says_how_to_use_it(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "demo-provider", f"--home={tmp_path}/demo"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as provider:
        assert provider.stdout is not None
        assert provider.stdout.readline().startswith("export HOME=")
        provider.send_signal(2)
        assert provider.wait() == 0
