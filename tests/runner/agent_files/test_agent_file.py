"""Agent files in the form that the project began with."""

from pathlib import Path

import pytest

from router.labels import Mode, Platform, TaskType
from runner.agent_files.agent_file import read_agent_file
from runner.errors import BadInput

AGENT = """---
name: my-orchestrator
type: orchestrator
color: "#E74C3C"
description: Thinks here, executes there
capabilities:
- workflow_routing
priority: critical
modes:
  interactive:
    platform: claude-code
    use_for:
      - complex-reasoning
      - architecture-decisions
      - debugging
      - real-time-review
  headless:
    platform: codex
    use_for: [parallel-execution, batch-processing, code-generation, documentation, testing]
hooks:
  pre: |
    echo "looking at $TASK"
  post: echo done
---

# Instructions
Think first.
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.md"


def test_everything_that_it_says_is_read(path: Path) -> None:
    path.write_bytes(AGENT.replace("\n", "\r\n").encode("utf-8-sig"))
    agent = read_agent_file(path)
    assert (agent.name, agent.capabilities) == ("my-orchestrator", ("workflow_routing",))
    assert agent.modes[Mode.HEADLESS].platform is Platform.CODEX
    assert agent.hooks.pre == 'echo "looking at $TASK"\n'
    assert agent.hooks.post == "echo done"
    assert agent.instructions == "# Instructions\nThink first.\n"


@pytest.mark.parametrize(
    ("kind", "platform"),
    [
        (TaskType.DEBUG, Platform.CLAUDE_CODE),
        (TaskType.EXPLAIN, Platform.CLAUDE_CODE),
        (TaskType.TEST, Platform.CODEX),
        (TaskType.IMPLEMENT, Platform.CODEX),
        (TaskType.FEATURE, None),
    ],
)
def test_it_gives_kinds_of_work_to_platforms(path: Path, kind: TaskType, platform: Platform | None) -> None:
    path.write_text(AGENT)
    assert read_agent_file(path).platform_for(kind) is platform


def test_the_name_of_a_task_type_is_a_use_and_two_claims_are_none(path: Path) -> None:
    path.write_text(AGENT.replace("debugging", "refactor").replace("testing]", "refactor]"))
    agent = read_agent_file(path)
    assert agent.platform_for(TaskType.REFACTOR) is None
    assert agent.platform_for(TaskType.TEST) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# no front matter\n", "has no front matter"),
        ("---\nname: x\n", "has no front matter"),
        ("---\n- a\n---\n", "the front matter has no names"),
        ("---\ndescription: x\n---\n", "name: Field required"),
        ("---\nname: x\nhooks: {before: ls}\n---\n", "hooks.before: Extra inputs are not permitted"),
        ("---\nname: x\nmodes: {headless: {platform: gemini}}\n---\n", "modes.headless.platform: Input should be"),
        ("---\nname: x\nmodes: {headless: {platform: codex, use_for: [dancing]}}\n---\n", "use_for has 'dancing'"),
        ("---\nname: x\nname: y\n---\n", "agent.md:3:1: 'name' is given twice"),
        ("---\nname: !!python/object:os.system x\n---\n", "agent.md:2:"),
    ],
)
def test_what_is_wrong_is_named(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_agent_file(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


def test_a_file_that_cannot_be_taken_is_named(path: Path) -> None:
    with pytest.raises(BadInput, match="can't be read"):
        read_agent_file(path)
    path.write_bytes(b"---\nname: \xff\n---\n")
    with pytest.raises(BadInput, match="is not UTF-8"):
        read_agent_file(path)
    path.write_text(AGENT + "x" * 1024 * 1024)
    with pytest.raises(BadInput, match="at most 1048576 are taken"):
        read_agent_file(path)
