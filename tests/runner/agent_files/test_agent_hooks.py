"""The hooks of an agent file, as the seed has them: run by a real shell, routed by us."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from runner.agent_files.agent_file import AgentHooks
from runner.agent_files.agent_hooks import Surroundings, agree, rewritten, run_hook, shown
from runner.errors import BadInput

PRE = """echo "🔀 Dual Orchestrator analyzing task routing"
# Determine optimal platform
if echo "$TASK" | grep -qE "(explain|debug|design|review|help|understand)"; then
  echo "→ Routing to Claude Code (interactive)"
else
  echo "→ Routing to Codex (headless parallel)"
fi
"""
POST = """echo "✨ Dual workflow complete"
npx claude-flow@v3alpha memory list --namespace results
"""


@pytest.fixture
def around(tmp_path: Path) -> Callable[..., Surroundings]:
    return lambda mode="", task="Do it": Surroundings(task, mode, "", "run-1", tmp_path / "home")


@pytest.mark.parametrize(
    ("mode", "task", "said"),
    [
        ("interactive", "implement it", "→ Routing to Claude Code (interactive)"),
        ("hybrid", "implement it", "→ Routing to Claude Code (interactive)"),
        ("headless", "document how to debug the design", "→ Routing to Codex (headless parallel)"),
    ],
)
def test_the_seeds_first_hook_says_what_the_router_says(
    around: Callable[..., Surroundings], tmp_path: Path, mode: str, task: str, said: str
) -> None:
    lines = list(run_hook(PRE, tmp_path, around(mode, task)))
    assert lines == ["🔀 Dual Orchestrator analyzing task routing", said]


def test_the_seeds_last_hook_lists_the_results_of_the_run(
    around: Callable[..., Surroundings], tmp_path: Path, environ: dict[str, str]
) -> None:
    environ = {**environ, "RUNNER_HOME": str(tmp_path / "home")}
    store = 'runner memory store result-worker-1 "implementation complete" --namespace results'
    list(run_hook(store, tmp_path, around(), environ))
    first, *listed = run_hook(POST, tmp_path, around(), environ)
    assert first == "✨ Dual workflow complete"
    assert any("result-worker-1" in line for line in listed)


def test_claude_flows_routing_is_ours_in_a_hook(
    around: Callable[..., Surroundings], tmp_path: Path, environ: dict[str, str]
) -> None:
    hook = 'npx -y claude-flow@v3alpha hooks route --task "$TASK"'
    assert "claude-code" in "\n".join(run_hook(hook, tmp_path, around(task="explain the cache"), environ))


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ('echo "$TASK" | grep -qE "(explain|debug)"', "routed interactive"),
        ("echo $TASK | grep -q 'implement' >/dev/null", "routed headless"),
        ('printf "%s\\n" "${TASK}" | egrep -qi "generate|write"', "routed headless"),
        ('grep -q explain "$FILE"', 'grep -q explain "$FILE"'),
        ('echo "$OTHER" | grep -q "explain"', 'echo "$OTHER" | grep -q "explain"'),
    ],
)
def test_only_searches_in_the_task_are_replaced(written: str, becomes: str) -> None:
    assert rewritten(written) == becomes


def test_a_hook_sees_the_task_as_data(around: Callable[..., Surroundings], tmp_path: Path) -> None:
    task = "`touch made`; $(touch made) '\"\n--help"
    assert list(run_hook('printf "%s" "$TASK"', tmp_path, around(task=task))) == task.split("\n")
    assert not (tmp_path / "made").exists()


def test_a_hook_that_fails_says_what_to_do(around: Callable[..., Surroundings], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="ended with code 3; correct it"):
        list(run_hook("exit 3", tmp_path, around()))


def test_hooks_are_shown_as_they_will_run_and_need_somebody_to_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = AgentHooks(pre=PRE, post=POST)
    assert "  if routed interactive; then" in list(shown(hooks))
    with pytest.raises(BadInput, match="nobody is here to agree to its hooks"):
        agree(hooks, tmp_path / "agent.md", tmp_path, yes=False)
    assert "agent.md runs these commands:\nhooks.pre:\n" in capsys.readouterr().err
    agree(hooks, tmp_path / "agent.md", tmp_path, yes=True)
    agree(AgentHooks(), tmp_path / "agent.md", tmp_path, yes=False)


def test_a_person_is_asked_once_until_the_hooks_change(tmp_path: Path) -> None:
    def answer(post: str, key: str) -> "pexpect.spawn[str]":
        code = (
            "from pathlib import Path; from runner.agent_files.agent_file import AgentHooks; "
            "from runner.agent_files.agent_hooks import agree; "
            f"agree(AgentHooks(post={post!r}), Path('a.md'), Path({str(tmp_path)!r}), yes=False); print('agreed')"
        )
        terminal = pexpect.spawn(sys.executable, ["-c", code], env=dict(os.environ), encoding="utf-8", timeout=30)
        if terminal.expect([r"Run them\? ", "agreed"]) == 0:
            terminal.send(key)
            terminal.expect(["agreed", "not agreed to; nothing was started"])
            return terminal
        terminal.sendline("never asked")
        return terminal

    assert answer("echo done", "n").match.group() == "not agreed to; nothing was started"  # type: ignore[union-attr]
    assert answer("echo done", "y").match.group() == "agreed"  # type: ignore[union-attr]
    assert "Run them" not in (answer("echo done", "n").before or "")
    assert answer("echo other", "n").match.group() == "not agreed to; nothing was started"  # type: ignore[union-attr]
