"""From tasks to merged work, and a session in the terminal, with the real `claude` and `codex` and no network."""

import json
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from .programs import NEEDED, RUNNER, git

pytestmark = NEEDED
SCRIPTS = """
make:
  task: make (?P<name>\\w+)
  steps:
    - {say: I make it., write: {path: "{{name}}.py", content: "{{name}} = 1\\n"}}
    - run: git add -A && git commit -qm "Make {{name}}"
    - say: Made {{name}}.
sum:
  task: sum them
  steps:
    - {say: I sum., run: cat *.py > all.txt}
    - say: Summed.
quarrel:
  task: quarrel (?P<side>\\w+)
  steps: [{write: {path: a.txt, content: "{{side}}\\n"}}, {say: Done.}]
lasting:
  task: lasting
  steps: [{write: {path: long.txt, content: "long\\n"}, delay_s: 4}, {say: Lasted.}]
discuss:
  task: discuss
  steps:
    - {say: Let us talk., usage: {input: 100, cached: 20, output: 7}}
    - {say: And more., usage: {input: 50, output: 5}}
"""
CHECKLIST = """# Today
- [ ] make one (name: one)
- [ ] make two (name: two)
- [x] make nothing
- [ ] sum them (after: one, two)
"""
Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repo(scratch: Path) -> Path:
    """A repository of a project that wants a file copied and a check; not under /tmp, which Codex's sandbox opens."""
    project = scratch / "project"
    subprocess.run(["git", "init", "-q", "-b", "main", project], check=True)
    (project / "a.txt").write_text("hello\n")
    (project / ".gitignore").write_text(".env\n")
    (project / ".dual.toml").write_text('copy = [".env"]\ncheck = ["test -s .env && cat *.py"]\n')
    git(project, "add", "-A")
    git(project, "commit", "-qm", "Start")
    (project / ".env").write_text("KEY=1\n")
    return project


@pytest.fixture
def runner(repo: Path, environ: dict[str, str]) -> Runner:
    """Runs the `runner` command."""

    def run(*args: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [*RUNNER, *args]
        done = subprocess.run(argv, cwd=repo, env={**environ, **env}, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done

    return run


def tasks(runner: Runner) -> list[dict[str, Any]]:
    """All tasks of the repository, as `runner status` tells them."""
    told: list[dict[str, Any]] = json.loads(runner("status", "--json").stdout)["tasks"]
    return told


@pytest.mark.parametrize("program", ["codex", "claude"])
def test_a_checklist_becomes_merged_checked_and_accepted_work(
    runner: Runner, repo: Path, tmp_path: Path, program: str
) -> None:
    (tmp_path / "today.md").write_text(CHECKLIST)
    before = git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch")
    done = runner("execute", "--json", "--platform", "codex", "--tasks-file", str(tmp_path / "today.md"),
                  RUNNER_HEADLESS=program)  # fmt: skip
    report = json.loads(done.stdout)
    assert [task["status"] for task in report["tasks"]] == ["succeeded"] * 3, done.stderr
    assert (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch")) == before
    run = report["run_id"]
    assert git(repo, "show", f"dual/{run}/integration:all.txt").split("\n") == ["one = 1", "two = 1"]
    accepted = json.loads(runner("accept", run, "--json").stdout)
    assert (accepted["how"], accepted["left"], accepted["failed_checks"]) == ("forwarded", [], [])
    assert (repo / "all.txt").exists()
    assert git(repo, "log", "--format=%s", "--no-merges", "-3").count("Make") == 2
    assert runner("clean", run).stdout.startswith(f"{run}  ")
    assert git(repo, "branch", "--list", "dual/*") == ""
    assert tasks(runner) == []


def test_a_conflict_is_left_for_the_person(runner: Runner, repo: Path) -> None:
    quarrel = ("quarrel here", "quarrel there")
    done = runner("execute", "--json", "--platform", "codex", *quarrel, code=1, RUNNER_HEADLESS="codex")
    run = json.loads(done.stdout)["run_id"]
    told = json.loads(runner("accept", run, "--json").stdout)
    assert [(part["worker"], part["reason"]) for part in told["left"]] == [
        ("2-quarrel-there", "in conflict in a.txt"),
    ]  # fmt: skip
    assert (repo / "a.txt").read_text() == "here\n"
    assert "kept: branch dual/" in runner("clean", run).stdout
    assert git(repo, "show", f"{told['left'][0]['branch']}:a.txt") == "there"


@pytest.fixture
def shell(repo: Path, environ: dict[str, str]) -> Iterator["pexpect.spawn[str]"]:
    """An interactive shell with job control, in the repository."""
    argv = ["--norc", "--noprofile", "-i"]
    env = {**environ, "PS1": "SHELL> ", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    opened = pexpect.spawn(
        "/bin/bash", argv, cwd=str(repo), env=env, encoding="utf-8", timeout=90, dimensions=(40, 120)
    )
    opened.expect_exact("SHELL> ")
    yield opened
    opened.close(force=True)


def test_claude_in_the_terminal_is_suspended_brought_back_and_accounted_for_beside_a_worker(
    shell: "pexpect.spawn[str]", runner: Runner, repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "both.jsonl").write_text(
        '{"task": "discuss", "platform": "claude-code"}\n{"task": "lasting", "platform": "codex"}\n'
    )
    shell.sendline(f"{shlex.join(RUNNER)} execute --tasks-file {tmp_path}/both.jsonl")
    shell.expect("us.*talk")
    pause(1)
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect_exact("SHELL> ")
    shell.sendline("echo back in the $((1 + 1))nd shell; fg")
    shell.expect("back in the 2nd shell")
    pause(1)
    shell.send("and what else?")
    pause(0.7)  # keys that follow at once are taken for pasted text
    shell.send("\r")
    shell.expect("And.*more")
    pause(1)
    shell.sendintr()
    pause(0.7)
    shell.send("/exit")
    pause(0.7)
    shell.send("\r")
    shell.expect("Was it right")
    shell.send("g")
    shell.expect_exact("SHELL> ")
    shell.sendline("stty -a")
    shell.expect(" icanon")
    talked, worked = tasks(runner)
    assert (talked["status"], talked["accepted"], worked["status"]) == ("succeeded", True, "succeeded")
    assert git(repo, "show", f"{worked['branch']}:long.txt") == "long"
    assert (talked["tokens"], talked["turns"], talked["message"]) == (127 + 55, 2, "And more.")
    assert talked["cost_usd"] > 0
    assert "And more." in runner("logs", talked["run_id"], "1").stdout


def pause(seconds: float) -> None:
    """Let a screen that tells nothing of it come to rest."""
    threading.Event().wait(seconds)
