"""The agents of the suite, and a session to give them."""

from pathlib import Path

from runner.agents.claude import HeadlessClaude
from runner.agents.codex import HeadlessCodex
from runner.agents.events import Event
from runner.agents.protocol import Agent, Session
from runner.agents.scripted import ScriptedAgent

SAMPLES = Path(__file__).parent / "samples"
CLAUDE = HeadlessClaude(Path("/bin/claude"), {})
CODEX = HeadlessCodex(Path("/bin/codex"), {})
SCRIPTED = ScriptedAgent({})
TASK = "--dangerously-skip-permissions"


def session(tmp_path: Path, max_cost_usd: float | None = None) -> Session:
    folders = (Path("/git/worktrees/x"), Path("/git/objects"))
    return Session(
        "11111111-2222-4333-8444-555555555555", TASK, tmp_path, tmp_path / "prompt.txt", folders, max_cost_usd
    )


def events_of(agent: Agent, lines: list[str]) -> list[Event]:
    return [event for line in lines for event in agent.parse(line)]
