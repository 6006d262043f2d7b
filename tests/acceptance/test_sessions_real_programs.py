"""Sessions of the real `claude` and `codex` survive what happens to the processes around them."""

import json
import os
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from router.labels import Status
from runner.agents.claude import HeadlessClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.protocol import Agent, Session
from runner.census import marked
from runner.errors import Left
from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running
from runner.sessions.attempt import attempts, reopen
from runner.sessions.session import Limits, work
from runner.sessions.verdict import Verdict

INSTALLED = Path(sysconfig.get_path("purelib"))
CLAUDE = INSTALLED / "claude_agent_sdk/_bundled/claude"
CODEX = INSTALLED / "codex_cli_bin/bin/codex"
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (CLAUDE.exists() and CODEX.exists()), reason="the extra `agents` isn't installed"),
]
SCRIPTS = parse_scripts("""
slow:
  task: slow
  steps:
    - {write: {path: half.txt, content: "half\\n"}}
    - {write: {path: whole.txt, content: "whole\\n"}, delay_s: 2}
    - say: Made both.
used up:
  task: used up
  steps: [{error: {status: 429, resets_in_s: 7200}}]
overloaded once:
  task: status 529
  steps: [{error: {status: 529, times: 3}, say: Here I am.}]
limited once:
  task: status 429
  steps: [{error: {status: 429, times: 2, retry_after_s: 1}, say: Here I am.}]
broken once:
  task: status 500
  steps: [{error: {status: 500, times: 2}, say: Here I am.}]
cut:
  task: cut
  steps: [{say: I am, disconnect: true}]
endless:
  task: endless
  repeat: true
  steps: [{run: echo again}]
asking:
  task: style guide
  steps: [{say: "Tabs or spaces?"}]
answered:
  task: take tabs
  steps: [{write: {path: style.md, content: "tabs\\n"}}, {say: Tabs it is.}]
mute:
  task: mute
  steps: [{hang: before}]
""")
ID = "11111111-2222-4333-8444-5555555555{:02d}"
every_program = pytest.mark.parametrize("program", ["codex", "claude"])


@pytest.fixture
def folder(scratch: Path) -> Path:
    """A repository, and beside it the session's files; not under /tmp, which Codex's sandbox leaves open to all."""
    subprocess.run(["git", "init", "-q", "-b", "main", scratch / "project"], check=True)
    (scratch / "session").mkdir()
    return scratch


@pytest.fixture
def provider(folder: Path, tmp_path: Path) -> Iterator[Provider]:
    """A scripted model that both programs use."""
    with running(SCRIPTS, tmp_path / "agents", repos=[folder / "project"]) as served:
        yield served


class Sitting:
    """A session of one of the programs, in threads of this process and a supervisor of its own."""

    def __init__(self, program: str, folder: Path, provider: Provider) -> None:
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **provider.env}
        self.agent: Agent = HeadlessCodex(CODEX, env) if program == "codex" else HeadlessClaude(CLAUDE, env)
        self.cwd, self.files = folder / "project", folder / "session"
        self.stop, self.leave = threading.Event(), threading.Event()
        self.id = ID.format(time.monotonic_ns() % 100)

    def work(self, task: str, **limits: float) -> Verdict:
        """Have it do `task`, or go on with it."""
        (self.files / "prompt.txt").write_text(task)
        session = Session(self.id, task, self.cwd, self.files / "prompt.txt", (self.cwd / ".git",), max_turns=8)
        given = {"wall_s": 90.0, "silence_s": 60.0, "grace_s": 1.0, **limits}
        chosen = Limits(**given, turns=12, backoff_s=(0.2, 0.2))
        return work(session, self.agent, chosen, self.stop, lambda _: None, self.leave)

    def wait_for(self, name: str) -> None:
        """Wait until the session has made a file."""
        deadline = time.monotonic() + 60
        while not (self.cwd / name).exists():
            assert time.monotonic() < deadline, (self.files / "output.jsonl").read_text()
            threading.Event().wait(0.02)

    def processes(self) -> dict[str, int]:
        """Numbers of the last attempt's processes."""
        return dict(json.loads((attempts(self.files)[-1].folder / "begun.json").read_bytes()))


Sit = Callable[[str], Sitting]


@pytest.fixture
def sit(folder: Path, provider: Provider) -> Sit:
    """Begins sessions."""
    return lambda program: Sitting(program, folder, provider)


@every_program
@pytest.mark.parametrize("victim", ["supervisor", "agent"])
def test_a_killed_session_is_resumed_with_its_conversation(
    sit: Sit, provider: Provider, program: str, victim: str
) -> None:
    sitting = sit(program)
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(sitting.work, "slow")
        sitting.wait_for("half.txt")
        os.kill(sitting.processes()[victim], signal.SIGKILL)
        verdict = doing.result()
    assert (verdict.status, verdict.attempts) == (Status.SUCCEEDED, 2)
    assert (sitting.cwd / "whole.txt").read_text() == "whole\n"
    assert marked(sitting.id) == []
    assert [attempt.resumed for attempt in attempts(sitting.files)] == [False, True]
    last = json.dumps(provider.journal(bodies=True)[-1])
    assert "You were interrupted" in last
    assert "half.txt" in last  # it remembers what it did before


@every_program
def test_a_session_goes_on_without_its_runner_and_is_adopted(sit: Sit, program: str) -> None:
    sitting = sit(program)
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(sitting.work, "slow")
        sitting.wait_for("half.txt")
        sitting.leave.set()
        with pytest.raises(Left):
            doing.result()
    sitting.leave.clear()
    verdict = sitting.work("slow")
    assert (verdict.status, verdict.attempts) == (Status.SUCCEEDED, 1)
    events = [json.loads(line) for line in (sitting.files / "events.jsonl").read_text().splitlines()]
    assert [event["path"].rpartition("/")[2] for event in events if event["event"] == "file_change"] == [
        "half.txt",
        "whole.txt",
    ]
    assert [event["event"] for event in events].count("finished") == 1


@every_program
def test_a_session_that_asked_goes_on_with_the_answer(sit: Sit, provider: Provider, program: str) -> None:
    sitting = sit(program)
    assert sitting.work("write a style guide").tally.message == "Tabs or spaces?"
    reopen(sitting.files, "take tabs")
    verdict = sitting.work("write a style guide")
    assert (verdict.status, verdict.attempts, verdict.tally.message) == (Status.SUCCEEDED, 2, "Tabs it is.")
    assert (sitting.cwd / "style.md").read_text() == "tabs\n"
    assert "Tabs or spaces?" in json.dumps(provider.journal(bodies=True)[-1])  # it remembers what it asked


def test_codex_that_used_up_its_allowance_names_the_time(sit: Sit) -> None:
    verdict = sit("codex").work("used up")
    assert verdict.status is Status.RATE_LIMITED
    assert verdict.resets_at is not None
    assert 7100 < verdict.resets_at - time.time() < 7260


@every_program
@pytest.mark.parametrize("status", [429, 500, 529])
def test_a_provider_that_does_not_answer_is_tried_again_with_the_same_conversation(
    sit: Sit, program: str, status: int
) -> None:
    verdict = sit(program).work(f"status {status}")
    assert verdict.status is Status.SUCCEEDED
    assert verdict.tally.message == "Here I am."


def test_a_provider_that_hangs_up_is_left_alone_for_a_while(sit: Sit) -> None:
    verdict = sit("codex").work("cut")
    assert verdict.status is Status.RATE_LIMITED
    assert verdict.attempts == 3
    assert marked(sit("codex").id) == []


@every_program
def test_a_session_without_end_is_stopped_at_its_turns(sit: Sit, program: str) -> None:
    verdict = sit(program).work("endless")
    assert verdict.status is Status.BUDGET_EXHAUSTED


@every_program
def test_a_session_whose_provider_is_mute_stalls(sit: Sit, program: str) -> None:
    sitting = sit(program)
    verdict = sitting.work("mute", silence_s=3.0)
    assert verdict.status is Status.STALLED
    assert marked(sitting.id) == []
