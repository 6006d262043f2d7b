"""A session that ended with a question is answered, and goes on in its own conversation and worktree."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Script = Callable[..., str]
GitRun = Callable[..., str]
RunCli = Callable[..., Any]
QUESTION = "I looked.\n\nTabs or spaces?"


@pytest.fixture
def ask(cli: RunCli, script: Script) -> Callable[..., Any]:
    """Runs tasks that end with a question; returns the report."""

    def run(count: int = 1) -> Any:
        done = cli("execute", "--json", "--platform", "codex", *(script(say=QUESTION) for _ in range(count)))
        assert done.returncode == 8, done.stderr
        return json.loads(done.stdout)

    return run


Ask = Callable[..., Any]


def test_the_answer_reaches_the_session_that_asked(
    ask: Ask, cli: RunCli, script: Script, repo: Path, git: GitRun
) -> None:
    run = ask()["run_id"]
    answer = script(write=["style.txt", "tabs\n"], say="With tabs.")
    done = cli("resume", run, "--json", "--answer", answer)
    assert done.returncode == 0, done.stderr
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["status"], task["attempts"], task["message"]) == ("succeeded", 2, "With tabs.")
    assert (Path(task["folder"]) / "prompt-2.txt").read_text() == answer
    assert git(repo, "show", f"{task['branch']}:style.txt") == "tabs"


def test_report_and_status_say_how_to_answer(ask: Ask, cli: RunCli) -> None:
    report = ask()
    run, (task,) = report["run_id"], report["tasks"]
    step = f'runner resume {run} {task["worker"]} --answer "…"'
    assert task["reason"] == "asks: Tabs or spaces?"
    assert (task["next"], report["next"][0]) == ([step], step)
    assert f"next: {step}\n" in cli("status").stdout
    assert f"next: {step}\n" in cli("watch", run).stdout


def test_an_interrupted_session_is_told_the_answer_again(ask: Ask, cli: RunCli, script: Script, tmp_path: Path) -> None:
    run = ask()["run_id"]
    once = f"[ -e {tmp_path}/tried ] || {{ touch {tmp_path}/tried; kill -9 $PPID; }}"
    assert cli("resume", run, "--answer", script(run=once, write=["b.txt", "b"])).returncode == 0
    (task,) = json.loads(cli("status", "--json").stdout)["tasks"]
    assert (task["status"], task["attempts"]) == ("succeeded", 3)
    told = (Path(task["folder"]) / "prompt-3.txt").read_text()
    assert told.startswith("You were interrupted")
    assert "Your question was answered so:\n\n[{" in told


def test_of_several_that_ask_one_is_named(ask: Ask, cli: RunCli, script: Script) -> None:
    report = ask(2)
    run, names = report["run_id"], [task["worker"] for task in report["tasks"]]
    unnamed = cli("resume", run, "--answer", "tabs")
    assert unnamed.returncode == 2
    assert f"{', '.join(names)} ask: name the one that is answered" in unnamed.stderr
    assert cli("resume", run, "2", "--answer", script(write=["b.txt", "b"])).returncode == 8
    states = {task["worker"]: task["status"] for task in json.loads(cli("status", "--json").stdout)["tasks"]}
    assert states == {names[0]: "needs_input", names[1]: "succeeded"}


@pytest.mark.parametrize(("answer", "said"), [(" ", "the answer is blank"), ("tabs", "nothing of it asks")])
def test_what_is_no_answer_is_refused(ask: Ask, cli: RunCli, script: Script, answer: str, said: str) -> None:
    run = ask()["run_id"]
    if answer != " ":
        assert cli("resume", run, "--answer", script(write=["b.txt", "b"])).returncode == 0
    refused = cli("resume", run, "--answer", answer)
    assert refused.returncode == 2
    assert said in refused.stderr
