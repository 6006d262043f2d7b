"""Both workflows of the seed with a person in a terminal, the real Claude Code on its screen, and the real Codex."""

from collections.abc import Callable
from typing import Any

import pytest

from runner.workflows.catalog import BUILT_IN

from .conftest import Serve

pytestmark = pytest.mark.acceptance
Windows = Callable[..., Any]
HYBRID = r"""
design:
  task: '\A\s*Design, before'
  steps:
    - say: I store the design.
      delay_s: 6  # the screen of Claude does not wait for a server, and a script is quicker than one can start
      call:
        server: dual-memory
        tool: memory_store
        arguments:
          key: design/build-an-address-book
          namespace: shared
          value: "Two parts.\n\nTasks:\n- Implement the store\n- Implement the view\n- Write tests for both"
    - say: The design is stored.
coder-1:
  task: '\Acoder-1: Implement the store'
  steps:
    - write: {path: app.py, content: "STORE = {}\n"}
    - say: The store is in app.py.
coder-2:
  task: '\Acoder-2: Implement the view'
  steps:
    - write: {path: app.py, content: "VIEW = {}\n"}
    - say: The view is in app.py.
tester:
  task: '\Atester: Write tests'
  steps:
    - write: {path: test_app.py, content: "import app\n"}
    - say: The tests are in test_app.py.
again:
  task: '\Acoder-2: coder-2: Put the view into view.py'
  steps:
    - run: >-
        git merge -q --no-edit -X ours $(git branch --list 'dual/*/coder-2' --format '%(refname:short)');
        git show $(git branch --list 'dual/*/coder-2' --format '%(refname:short)'):app.py > view.py; git add -A;
        git commit -qm 'Move the view'; git log --oneline -3
    - say: The view is in view.py.
first-review:
  task: '(?s)\A\s*Review the work.*in conflict|\A\s*Review the work(?s:.*)Conflicts: these branches are NOT merged'
  steps:
    - say: "Both wrote app.py.\n\n- coder-2: Put the view into view.py\n\nVerdict: rework"
second-review:
  task: '\A\s*Review the work'
  steps: [{say: "Now all parts fit together.\n\nVerdict: accept"}]
"""
PARALLEL = r"""
architect: {task: '\Aarchitect: ', steps: [{write: {path: design.md, content: "One module.\n"}}, {say: Designed.}]}
coder-1: {task: '\Acoder-1: ', steps: [{write: {path: core.py, content: "CORE = 1\n"}}, {say: "The core is there."}]}
coder-2: {task: '\Acoder-2: ', steps: [{write: {path: api.py, content: "API = 1\n"}}, {say: "The API is there."}]}
tester: {task: '\Atester: ', steps: [{write: {path: test_core.py, content: "import core\n"}}, {say: "Tested."}]}
docs: {task: '\Adocs: ', steps: [{write: {path: README.md, content: "# It\n"}}, {say: "Documented."}]}
review: {task: '\A\s*Review the work', steps: [{say: "All five parts fit together."}]}
"""


def test_a_conflict_goes_to_the_review_and_back_for_rework_until_it_is_accepted(serve: Serve, window: Windows) -> None:
    stage = serve(HYBRID)
    seeds = str(BUILT_IN / "hybrid_development.yaml")
    here = window(stage, "coordinate", "--workflow", seeds, "--task", "Build an address book")
    here.leave_claude("The design is stored.")
    here.leave_claude("Both wrote app.py.")
    here.answer("What came of the review?", "r")
    here.leave_claude("Now all parts fit together.")
    here.answer("What came of the review?", "a")
    shown = here.shows("EXIT CODE")
    assert "EXIT CODE 0" in shown, shown
    assert "✨ Dual workflow complete" in shown
    assert "conflict:" not in shown
    branch = stage.git("branch", "--list", "dual/*/integration", "--format", "%(refname:short)")
    assert stage.git("ls-tree", "--name-only", branch).split() == ["a.txt", "app.py", "test_app.py", "view.py"]
    assert (stage.git("show", f"{branch}:app.py"), stage.git("show", f"{branch}:view.py")) == (
        "STORE = {}",
        "VIEW = {}",
    )
    assert (stage.git("branch", "--show-current"), stage.git("status", "--porcelain")) == ("main", "")
    assert {name for name, _ in stage.asked()} >= {"design", "coder-1", "coder-2", "tester", "again", "second-review"}


def test_five_roles_work_in_parallel_and_a_person_reviews(serve: Serve, window: Windows) -> None:
    stage = serve(PARALLEL)
    here = window(stage, "coordinate", "--workflow", "parallel_feature", "--task", "Add a feature")
    here.leave_claude("All five parts fit together.")
    here.answer("What came of the review?", "a")
    assert "EXIT CODE 0" in here.shows("EXIT CODE")
    branch = stage.git("branch", "--list", "dual/*/integration", "--format", "%(refname:short)")
    files = ["README.md", "a.txt", "api.py", "core.py", "design.md", "test_core.py"]
    assert stage.git("ls-tree", "--name-only", branch).split() == files
