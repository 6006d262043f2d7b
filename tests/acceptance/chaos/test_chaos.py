"""Whatever is killed, and whenever: every session is carried out once, and the merged work is as if nothing had been.

`CHAOS_ROUNDS` is how many rounds there are (`make chaos N=200`).
"""

import hashlib
import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.provider.script import parse_scripts
from runner.provider.server import running
from runner.runs.records import Entry
from runner.runs.state import State
from runner.sessions.attempt import attempts

pytestmark = pytest.mark.acceptance
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "2"))
FIRST = int(os.environ.get("CHAOS_SEED", "1"))
MOST_KILLS = 4
OpenArena = Callable[..., Any]
Note = Callable[[str, object], None]
REAL_ROUNDS = int(os.environ.get("CHAOS_REAL_ROUNDS", "1"))
INSTALLED = Path(sysconfig.get_path("purelib"))
CLAUDE, CODEX = INSTALLED / "claude_agent_sdk/_bundled/claude", INSTALLED / "codex_cli_bin/bin/codex"
# Each file is written twice: a script goes on with its next step where a program was killed between asking for a tool
# and using it; a model would look at what is there.
REAL = parse_scripts("""
part:
  task: make part (?P<n>\\d)
  steps:
    - {write: {path: "one-{{n}}.txt", content: "{{n}}\\n"}}
    - delay_s: 2
      run: git add -A && git commit -qm "Part {{n}}"
    - {write: {path: "two-{{n}}.txt", content: "{{n}}\\n"}, delay_s: 0.5}
    - {write: {path: "one-{{n}}.txt", content: "{{n}}\\n"}}
    - {write: {path: "two-{{n}}.txt", content: "{{n}}\\n"}}
    - say: Made part {{n}}.
""")
STEPS = ("begin", "middle", "end")


def scripted(folder: Path) -> list[str]:
    """Six tasks that write files, note each step, and notice a second copy of themselves."""

    def task(number: int) -> str:
        note = f"{folder}/note-{number}"
        alone = f"(flock -n 9 || echo double >> {note}; sleep 0.2; echo middle >> {note}) 9> {folder}/lock-{number}"
        commit = "git add -A && git -c user.name=w -c user.email=w@localhost commit -qm work"
        steps = [
            {"run": f"echo begin >> {note}"}, {"write": [f"part-{number}.txt", f"part {number}\n" * 9]},
            {"wait": 0.2 * number}, {"run": alone}, {"run": commit}, {"wait": 1.5 - 0.2 * number},
            {"write": [f"more/{number}.txt", f"more {number}\n"]}, {"run": f"echo end >> {note}"},
            {"say": f"Did part {number}."},
        ]  # fmt: skip
        return json.dumps(steps)

    return [task(number) for number in range(1, 7)]


def blobs(files: dict[str, str]) -> set[tuple[str, str]]:
    """What git makes of files: their paths, each with the digest of its content."""
    contents = {path: text.encode() for path, text in files.items()}
    head = {path: f"blob {len(content)}\0".encode() for path, content in contents.items()}
    return {(path, hashlib.sha1(head[path] + content).hexdigest()) for path, content in contents.items()}  # noqa: S324


def merged(repo: Path, run_id: str) -> set[tuple[str, str]]:
    """The same of the run's integration branch."""
    lines = git_says(repo, "ls-tree", "-r", f"dual/{run_id}/integration").splitlines()
    return {(line.split("\t")[1], line.split()[2]) for line in lines}


def expected() -> dict[str, str]:
    """The merged work of a run without kills."""
    parts = {f"part-{n}.txt": f"part {n}\n" * 9 for n in range(1, 7)}
    return {"a.txt": "hello\n", **parts, **{f"more/{n}.txt": f"more {n}\n" for n in range(1, 7)}}


def expected_of_real() -> dict[str, str]:
    """The same of the real programs."""
    return {"a.txt": "hello\n", **{f"{part}-{n}.txt": f"{n}\n" for n in range(1, 7) for part in ("one", "two")}}


def check_sessions(entries: list[Entry], folder: Path, story: str) -> None:
    """Each session succeeded, in one piece, never twice at the same time."""
    assert [entry.state for entry in entries] == [State.SUCCEEDED] * 6, story
    for number, entry in enumerate(entries, start=1):
        notes = (folder / f"note-{number}").read_text().split()
        begun = len(attempts(entry.folder))
        assert "double" not in notes, story
        assert all(1 <= notes.count(step) <= begun for step in STEPS), (number, notes, story)
        assert entry.ending
        assert entry.ending.attempts == begun, story
        events = [json.loads(line) for line in (entry.folder / "events.jsonl").read_text().splitlines()]
        said = [event for event in events if event["event"] == "message"]
        assert 1 <= len(said) <= begun, (number, said, story)


def check_repository(round_: Any, entries: list[Entry], files: dict[str, str]) -> None:
    """The work is merged, nothing is left running, and the user's checkout is as it was."""
    story = round_.story()
    assert round_.strays() == [], story
    assert merged(round_.repo, entries[0].record.run_id) == blobs(files), story
    for entry in entries:
        assert not git_says(entry.record.cwd, "status", "--porcelain"), story
        assert git_says(entry.record.cwd, "branch", "--show-current") == entry.record.branch, story
    assert git_says(round_.repo, "fsck", "--no-dangling", "--no-progress") == "", story
    assert git_says(round_.repo, "status", "--porcelain", "--branch") == "## main", story


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + ROUNDS))
def test_a_round_with_kills_ends_as_one_without(arena: OpenArena, seed: int, record_property: Note) -> None:
    round_ = arena(seed, scripted)
    round_.begin()
    for _ in range(round_.chance.randint(1, MOST_KILLS)):
        round_.strike()
    entries = round_.finish()
    record_property("killed", " ".join(round_.killed))
    record_property("attempts", " ".join(str(len(attempts(entry.folder))) for entry in entries))
    check_sessions(entries, round_.folder, round_.story())
    check_repository(round_, entries, expected())


@pytest.mark.timeout(300)
@pytest.mark.skipif(not (CLAUDE.exists() and CODEX.exists()), reason="the extra `agents` isn't installed")
@pytest.mark.parametrize("program", ["codex", "claude"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + REAL_ROUNDS))
def test_a_round_of_a_real_program_ends_as_one_without(
    arena: OpenArena, seed: int, program: str, record_property: Note
) -> None:
    programs = {"RUNNER_HEADLESS": program, "RUNNER_CLAUDE": str(CLAUDE), "RUNNER_CODEX": str(CODEX)}
    round_ = arena(seed, lambda _: [f"make part {number}" for number in range(1, 7)], **programs)
    with running(REAL, round_.folder / "agents", repos=[round_.repo]) as provider:
        round_.env.update(provider.env)
        round_.begin()
        for _ in range(round_.chance.randint(1, MOST_KILLS)):
            round_.strike()
        entries = round_.finish()
        story = round_.story()
    record_property("killed", " ".join(round_.killed))
    record_property("attempts", " ".join(str(len(attempts(entry.folder))) for entry in entries))
    assert [entry.state for entry in entries] == [State.SUCCEEDED] * 6, story
    check_repository(round_, entries, expected_of_real())


def git_says(folder: Path, *args: str) -> str:
    """Run git and return what it printed, its complaints too."""
    done = subprocess.run(["git", "-C", folder, *args], check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()
