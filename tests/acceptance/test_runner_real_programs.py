"""The runner drives the real `claude` and `codex`, with no account and no network."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from runner.census import marked
from runner.provider.server import Provider

from .programs import NEEDED, RUNNER, git

pytestmark = NEEDED
SCRIPTS = """
commit:
  task: commit (?P<name>\\w+)
  steps:
    - {say: I make it., write: {path: "{{name}}.txt", content: "{{name}}\\n"}}
    - run: git add -A && git commit -qm "Make {{name}}"
    - say: Made {{name}}.
leave:
  task: leave (?P<name>\\w+)
  steps: [{write: {path: "{{name}}.txt", content: "{{name}}\\n"}, delay_s: 1}, {say: Left it.}]
escape:
  task: escape
  steps:
    - run: touch $(git rev-parse --git-common-dir)/hooks/evil; git branch evil
    - say: Tried.
refused:
  task: refused
  steps: [{error: {status: 400}}]
stuck:
  task: stuck
  steps:
    - {write: {path: half.txt, content: "half\\n"}}
    - {run: python3 -c "import time; time.sleep(300)"}
    - {say: Never., delay_s: 300}
discuss:
  task: discuss
  steps: [{say: Let us talk.}]
"""
every_program = pytest.mark.parametrize("program", ["codex", "claude"])


@pytest.fixture
def execute(repo: Path, environ: dict[str, str]) -> Callable[..., tuple[dict[str, Any], str]]:
    """Runs headless tasks; returns the report and what was said on stderr."""

    def run(*args: str, code: int = 0, **env: str) -> tuple[dict[str, Any], str]:
        argv = [*RUNNER, "execute", "--json", "--platform", "codex", *args]
        done = subprocess.run(argv, cwd=repo, env={**environ, **env}, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout), done.stderr

    return run


Execute = Callable[..., tuple[dict[str, Any], str]]


@every_program
def test_tasks_are_done_at_the_same_time_each_on_its_own_branch(execute: Execute, repo: Path, program: str) -> None:
    before = git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch")
    report, _ = execute("commit alpha", "leave beta", "leave gamma", RUNNER_HEADLESS=program)
    committed, left, also_left = report["tasks"]
    assert [task["status"] for task in report["tasks"]] == ["succeeded"] * 3
    assert [task["program"] for task in report["tasks"]] == [program] * 3
    assert git(repo, "show", f"{committed['branch']}:alpha.txt") == "alpha"
    assert git(repo, "log", "-1", "--format=%an: %s", committed["branch"]) == "Scripted Agent: Make alpha"
    assert git(repo, "show", f"{left['branch']}:beta.txt") == "beta"
    assert git(repo, "log", "-1", "--format=%an: %s", left["branch"]) == "dual-orchestrator: dual: leave beta"
    assert left["started_at"] < also_left["ended_at"]
    assert also_left["started_at"] < left["ended_at"]
    assert all(task["tokens"] and task["vendor_session"] and task["diff"]["added"] == 1 for task in report["tasks"])
    assert (left["cost_usd"] is not None) == (program == "claude")
    assert (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch")) == before
    assert report["checkout_untouched"]
    assert not any(marked(task["session_id"]) for task in report["tasks"])


@every_program
@pytest.mark.parametrize("task", ["--dangerously-skip-permissions", "-", "resume", "doctor"])
def test_a_task_is_never_taken_for_a_flag_or_a_command(
    execute: Execute, provider: Provider, program: str, task: str
) -> None:
    report, _ = execute(task, RUNNER_HEADLESS=program)
    assert report["tasks"][0]["status"] == "succeeded"
    sent = json.dumps(provider.journal(bodies=True))
    assert json.dumps(task)[1:-1] in sent
    assert report["tasks"][0]["message"]


@every_program
def test_a_worker_reaches_no_hooks_of_the_repository(execute: Execute, repo: Path, program: str) -> None:
    execute("escape", RUNNER_HEADLESS=program)
    assert not (repo / ".git/hooks/evil").exists()
    assert git(repo, "branch", "--list", "evil") == ""


@every_program
def test_a_refused_request_fails_the_task_with_the_reason(execute: Execute, program: str) -> None:
    report, _ = execute("refused", code=1, RUNNER_HEADLESS=program)
    assert report["tasks"][0]["status"] == "failed"
    assert "400" in report["tasks"][0]["reason"] or "scripted failure" in report["tasks"][0]["reason"]


def test_without_codex_claude_takes_headless_tasks_and_the_user_is_told(execute: Execute, repo: Path) -> None:
    report, said = execute("commit alpha", RUNNER_CODEX="/no/such/codex")
    (task,) = report["tasks"]
    assert "headless tasks go to `claude -p` instead" in said
    assert task["program"] == "claude"
    assert git(repo, "show", f"{task['branch']}:alpha.txt") == "alpha"


@every_program
def test_without_a_login_nothing_is_started(execute: Execute, tmp_path: Path, repo: Path, program: str) -> None:
    nobody = {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path), "CODEX_HOME": str(tmp_path)}
    keyless = {"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": ""}
    with pytest.raises(AssertionError, match=f"{program} is not logged in; log in with"):
        execute("commit alpha", RUNNER_HEADLESS=program, **nobody, **keyless)
    assert git(repo, "branch", "--list", "dual/*") == ""


@every_program
def test_ctrl_c_leaves_no_process_and_loses_no_work(
    repo: Path, environ: dict[str, str], tmp_path: Path, program: str
) -> None:
    argv = [*RUNNER, "execute", "--json", "--platform", "codex", "stuck"]
    runner = subprocess.Popen(
        argv, cwd=repo, env={**environ, "RUNNER_HEADLESS": program}, stdout=subprocess.PIPE, text=True
    )
    while runner.poll() is None and not any((tmp_path / "runner-home").glob("repositories/*/worktrees/*/half.txt")):
        threading.Event().wait(0.1)
    runner.send_signal(2)
    (task,) = json.loads(runner.communicate()[0])["tasks"]
    assert runner.returncode == 130
    assert marked(task["session_id"]) == []
    assert task["status"] == "cancelled"
    assert git(repo, "show", f"{task['branch']}:half.txt") == "half"


@every_program
def test_a_run_goes_on_after_its_terminal_and_its_worker_were_killed(
    repo: Path, environ: dict[str, str], tmp_path: Path, program: str
) -> None:
    env = {**environ, "RUNNER_HEADLESS": program}
    tasks = ["leave alpha", "leave beta", "commit gamma"]
    terminal = subprocess.Popen([*RUNNER, "execute", "--platform", "codex", *tasks], cwd=repo, env=env)
    while len(list((tmp_path / "runner-home").glob("repositories/*/runs/*/*/attempt-1/begun.json"))) < len(tasks):
        assert terminal.poll() is None
        threading.Event().wait(0.05)
    os.kill(json.loads((tmp_path / "runner-home/executor/worker.json").read_bytes())["pid"], 9)
    terminal.kill()
    terminal.wait()
    done = subprocess.run([*RUNNER, "watch", "--json"], cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [task["attempts"] for task in report["tasks"]] == [1, 1, 1]
    merged = report["integration"]["branch"]
    assert git(repo, "ls-tree", "--name-only", merged).split() == ["a.txt", "alpha.txt", "beta.txt", "gamma.txt"]
    assert not any(marked(task["session_id"]) for task in report["tasks"])
    accepted = subprocess.run(
        [*RUNNER, "accept", report["run_id"]], cwd=repo, env=env, capture_output=True, check=False
    )
    assert accepted.returncode == 0, accepted.stderr
    assert (repo / "gamma.txt").exists()


def test_the_screen_of_claude_comes_up_in_the_terminal_and_a_key_gives_the_verdict(
    repo: Path, environ: dict[str, str]
) -> None:
    arguments = ["-c", "from runner.cli import entry; entry()", "execute", "--platform", "claude-code", "discuss"]
    screen = pexpect.spawn(
        sys.executable, arguments, cwd=str(repo), env=environ, encoding="utf-8", timeout=90, dimensions=(40, 120)
    )
    try:
        screen.expect("us.*talk")
        screen.send("/exit")
        screen.expect("exit")
        threading.Event().wait(0.7)  # the screen takes keys that follow at once for pasted text
        screen.send("\r")
        screen.expect("Was it right")
        screen.send("g")
        screen.expect(pexpect.EOF)
    finally:
        screen.close(force=True)
    assert screen.exitstatus == 0
    done = subprocess.run([*RUNNER, "status", "--json"], cwd=repo, env=environ, capture_output=True, check=True)
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["status"], task["accepted"], task["branch"]) == ("succeeded", True, None)


def test_the_doctor_finds_both_programs_and_their_logins(repo: Path, environ: dict[str, str]) -> None:
    done = subprocess.run([*RUNNER, "doctor"], cwd=repo, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("logged in") == 2
