"""An agent file at the head of an order, with the real programs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Serve

pytestmark = pytest.mark.acceptance
Windows = Callable[..., Any]
SCRIPTS = r"""
alone: {task: '\A\s*write tests for the parser', steps: [{say: It is tested.}]}
together: {task: '\A\s*explain the parser', steps: [{say: It reads letters.}]}
design: {task: '\A\s*Design, before', steps: [{say: "One part.\n\nTasks:\n- Implement it"}]}
work: {task: '\Acoder-1: ', steps: [{write: {path: it.py, content: "IT = 1\n"}}, {say: Done.}]}
tester: {task: '\Atester: ', steps: [{say: Nothing to test.}]}
review: {task: '\A\s*Review the work', steps: [{say: "It is good.\n\nVerdict: accept"}]}
"""
SAID = "Greet whoever reads it as Admiral Benbow."
AGENT = f"---\nname: polite\nhooks:\n  pre: echo first\n  post: echo last\n---\n# How\n\n{SAID}\n"


def test_what_an_agent_file_says_is_told_to_whoever_works_under_it(
    serve: Serve, window: Windows, tmp_path: Path
) -> None:
    stage = serve(SCRIPTS)
    (tmp_path / "polite.md").write_text(AGENT)
    led = ("execute", "--agent", str(tmp_path / "polite.md"))
    done = stage.cli(*led, "--yes", "--json", "write tests for the parser")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tasks"][0]["task"] == "write tests for the parser"
    here = window(stage, *led, "--yes", "--platform", "claude-code", "explain the parser")
    here.leave_claude("It reads letters.")
    here.answer("Was it right?", "g")
    shown = here.shows("EXIT CODE")
    assert "EXIT CODE 0" in shown, shown
    assert shown.index("polite: first") < shown.index("polite: last")
    told = {one["script"]: one["body"] for one in stage.provider.journal(bodies=True)}
    assert SAID in json.dumps(told["alone"]["input"])
    assert SAID in json.dumps(told["together"]["system"])


def test_a_workflow_under_an_agent_file_tells_it_to_all_of_its_sessions(
    serve: Serve, window: Windows, tmp_path: Path
) -> None:
    stage = serve(SCRIPTS)
    (tmp_path / "polite.md").write_text(AGENT)
    here = window(stage, "execute", "--agent", str(tmp_path / "polite.md"), "--platform", "hybrid", "Build it")
    here.answer("Run them?", "y")
    here.leave_claude("Implement it")
    here.answer("Is this the design?", "y")
    here.leave_claude("It is good.")
    here.answer("What came of the review?", "a")
    assert "EXIT CODE 0" in here.shows("EXIT CODE")
    told = {one["script"]: json.dumps(one["body"]) for one in stage.provider.journal(bodies=True)}
    assert all(SAID in told[name] for name in ("design", "work", "review"))
