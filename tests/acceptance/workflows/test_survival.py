"""`kill -9` of the runner in each phase, with the real programs: nothing is lost, and nothing is done twice."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Serve, Stage

pytestmark = pytest.mark.acceptance
Windows = Callable[..., Any]
SCRIPTS = r"""
design:
  task: '\A\s*Design, before'
  steps:
    - say: I look.
      run: ls
    - say: "Here it is.\n\nTasks:\n- Implement the store\n- Implement the view"
      delay_s: %(design)s
coder-1:
  task: '\Acoder-1: Implement the store'
  steps:
    - write: {path: store.py, content: "STORE = {}\n"}
    - say: The store is in store.py.
      delay_s: %(work)s
coder-2:
  task: '\Acoder-2: Implement the view'
  steps:
    - write: {path: view.py, content: "VIEW = {}\n"}
    - say: The view is in view.py.
tester:
  task: '\Atester: '
  steps: [{say: There is nothing to test.}]
review:
  task: '\A\s*Review the work'
  steps:
    - run: git log --oneline -3
    - say: "All parts are there.\n\nVerdict: accept"
      delay_s: %(review)s
"""
STEPS = {("design", 0), ("design", 1), ("coder-1", 0), ("coder-1", 1), ("coder-2", 0), ("coder-2", 1), ("tester", 0),
         ("review", 0), ("review", 1)}  # fmt: skip


def waiting(slow: str = "") -> str:
    """The scripts, one phase of them slow enough to be killed in."""
    return SCRIPTS % {phase: 4 if phase == slow else 0 for phase in ("design", "work", "review")}


def finished(stage: Stage, told: dict[str, Any]) -> None:
    """All is there, and each answer of the model was asked for once."""
    assert (told["stand"], told["verdict"]) == ("done", "accept"), told
    assert stage.git("ls-tree", "--name-only", told["branch"]).split() == ["a.txt", "store.py", "view.py"]
    assert Counter(stage.asked()) == dict.fromkeys(STEPS, 1)
    assert (stage.git("branch", "--show-current"), stage.git("status", "--porcelain")) == ("main", "")


@pytest.mark.parametrize(
    ("phase", "hit"), [("design", ("design", 1)), ("work", ("coder-1", 1)), ("review", ("review", 1))]
)
def test_sessions_go_on_without_their_runner_and_are_taken_up_by_the_next(
    serve: Serve, phase: str, hit: tuple[str, int]
) -> None:
    stage = serve(waiting(phase))
    with stage.start("coordinate", "--task", "Build an address book", "--no-interactive") as runner:
        stage.until(lambda: hit in stage.asked(), lambda: f"asked: {stage.asked()}")
        os.kill(runner.pid, signal.SIGKILL)
    (path,) = (stage.home / "repositories").glob("*/runs/*/workflow.json")
    done = stage.cli("resume", path.parent.name, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    finished(stage, json.loads(done.stdout))


def test_a_runner_killed_while_a_person_sits_comes_back_to_the_same_phase(serve: Serve, window: Windows) -> None:
    stage = serve(waiting())
    first = window(stage, "coordinate", "--task", "Build an address book")
    first.shows("Implement the view")
    os.kill(first.pid(), signal.SIGKILL)
    first.close()
    (path,) = (stage.home / "repositories").glob("*/runs/*/workflow.json")
    second = window(stage, "resume", path.parent.name)
    second.leave_claude("Implement the view")
    second.answer("Is this the design?", "y")
    second.shows("All parts are there.")
    os.kill(second.pid(), signal.SIGKILL)
    second.close()
    third = window(stage, "resume", path.parent.name)
    third.leave_claude("All parts are there.")
    third.answer("What came of the review?", "a")
    assert "EXIT CODE 0" in third.shows("EXIT CODE")
    once = Counter(stage.asked())
    assert {once[step] for step in STEPS if step[0].startswith("coder")} == {1}
    assert stage.git("branch", "--show-current") == "main"


def test_a_window_outlives_the_terminal_it_was_opened_from(serve: Serve, window: Windows) -> None:
    stage = serve(waiting())
    first = window(stage, "coordinate", "--task", "Build an address book", "--tmux")
    first.shows("Implement the view")
    first.close_first()
    (path,) = (stage.home / "repositories").glob("*/runs/*/workflow.json")
    second = window(stage, "resume", path.parent.name)
    second.shows("-design goes on: `tmux attach")
    first.leave_claude("Implement the view")
    second.answer("Is this the design?", "y")
    second.leave_claude("All parts are there.")
    second.answer("What came of the review?", "a")
    assert "EXIT CODE 0" in second.shows("EXIT CODE")
    told = json.loads(path.read_text())
    finished(stage, {**told, "branch": f"dual/{told['run_id']}/integration"})
