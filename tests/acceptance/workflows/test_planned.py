"""A design without a list is cut into parts by the real programs, whose answer is held to a form."""

import json
from pathlib import Path

import pytest

from .conftest import Serve

pytestmark = pytest.mark.acceptance
PLAN = {"tasks": [{"task": "Build the store", "role": "coder"}, {"task": "Build the view", "role": "coder"}]}
SCRIPTS = """
design:
  task: '\\A\\s*Design, before'
  steps: [{say: A store in one file and a view in another.}]
plan:
  task: '\\A\\s*Plan who does what'
  steps: [%s]
coder-1: {task: '\\Acoder-1: ', steps: [{write: {path: store.py, content: "STORE = 1\\n"}}, {say: "The store."}]}
coder-2: {task: '\\Acoder-2: ', steps: [{write: {path: view.py, content: "VIEW = 1\\n"}}, {say: "The view."}]}
"""
WORKFLOW = """
phases:
  - {{phase: design, platform: claude-code}}
  - {{phase: build, kind: work, platform: {platform}, workers: [{{type: coder, count: 2}}]}}
"""
TOLD = json.dumps(PLAN)
STEPS = {
    "codex": f"{{say: '{TOLD}'}}",
    "claude-code": f"{{call: {{server: '', tool: StructuredOutput, arguments: {TOLD}}}}}, {{say: Planned.}}",
}


@pytest.mark.parametrize("platform", ["codex", "claude-code"])
def test_prose_is_cut_into_parts_in_the_form(serve: Serve, tmp_path: Path, platform: str) -> None:
    stage = serve(SCRIPTS % STEPS[platform])
    (tmp_path / "own.yaml").write_text(WORKFLOW.format(platform=platform))
    workflow = str(tmp_path / "own.yaml")
    done = stage.cli("coordinate", "--workflow", workflow, "--task", "Build it", "--no-interactive", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    jobs = {job["worker"]: job["share"] for job in json.loads(done.stdout)["phases"]["build"]["jobs"]}
    assert jobs == {"coder-1": ["coder: Build the store"], "coder-2": ["coder: Build the view"]}
    planned, *_ = [one for one in stage.provider.journal(bodies=True) if one["script"] == "plan"]
    asked = json.dumps(planned["body"])
    assert '"json_schema"' in asked if platform == "codex" else "StructuredOutput" in asked
