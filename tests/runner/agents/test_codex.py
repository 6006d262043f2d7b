"""What Codex is told, and what it tells."""

import json
from pathlib import Path

import pytest

from runner.agents.events import Cause, FileChange, Finished, Message, Started, ToolUse, Usage

from .conftest import CODEX, SAMPLES, events_of, session


def test_codex_may_write_its_worktree_and_the_folders_of_a_commit(tmp_path: Path) -> None:
    argv = CODEX.command(session(tmp_path)).argv
    assert argv[argv.index("-C") + 1] == str(tmp_path)
    assert argv[-5:] == ("--add-dir", "/git/worktrees/x", "--add-dir", "/git/objects", "-")


def test_a_recorded_session_of_codex_is_understood() -> None:
    events = events_of(CODEX, (SAMPLES / "codex.jsonl").read_text().splitlines())
    assert events == [
        Started("01a202f5-d6a7-7ce1-83ea-06d494237600"),
        Message("I will patch."),
        FileChange("/scratch/w/r2/a.txt"),
        FileChange("/scratch/w/r2/made.txt"),
        Message("Run git."),
        ToolUse("shell", "/bin/bash -lc 'git status --short'"),
        Message("All done: created made.txt, edited a.txt."),
        Usage(tokens=1542),
        Finished(ok=True, reason="completed"),
    ]


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("You\u2019ve hit your usage limit. Upgrade to Pro or try again at 11:54 AM.", Cause.USAGE_LIMIT),
        ("exceeded retry limit, last status: 429 Too Many Requests", Cause.OVERLOADED),
        ("unexpected status 529 <unknown status code>: busy, url: http://x", Cause.OVERLOADED),
        ("stream disconnected before completion", Cause.OVERLOADED),
        ("unexpected status 400 Bad Request", Cause.OTHER),
    ],
)
def test_codex_says_why_it_gave_up(message: str, cause: Cause) -> None:
    (finished,) = CODEX.parse(json.dumps({"type": "turn.failed", "error": {"message": message}}))
    assert isinstance(finished, Finished)
    assert (finished.cause, finished.resets_at is not None) == (cause, cause is Cause.USAGE_LIMIT)
