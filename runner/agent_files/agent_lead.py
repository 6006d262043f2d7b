"""An agent file at the head of an order: its modes say who takes what, its hooks run around the work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.labels import MODES, Mode, Platform, TaskType
from router.schemas import Decision, Feedback, Outcome
from runner.agent_files import agent_hooks
from runner.agent_files.agent_file import AgentFile, read_agent_file
from runner.agent_files.agent_hooks import Surroundings
from runner.errors import BadInput
from runner.runs.run import Run
from runner.settings import Settings
from runner.tasks.plan import Planned

if TYPE_CHECKING:
    from router.client import Routing

NEEDED = {
    Platform.HYBRID: "hybrid_orchestration", Platform.CLAUDE_CODE: "interactive_reasoning",
    Platform.CODEX: "parallel_execution",
}  # fmt: skip
"""The capability without which a platform takes nothing; a file that lists none has all."""
BRIEF = """You work under the agent file {name}, on this one task. What it says of all its tasks:

{text}"""
SELECTION, WORKFLOWS = "platform_selection", "workflow_routing"


@dataclass(frozen=True)
class AgentLead:
    """What an agent file makes of an order."""

    path: Path
    file: AgentFile

    @classmethod
    def open(cls, path: Path, settings: Settings, *, yes: bool) -> "AgentLead":
        """Read the file and have its hooks agreed to; raises `BadInput`."""
        file = read_agent_file(path)
        if (mode := file.modes.get(Mode.INTERACTIVE)) and mode.platform is not Platform.CLAUDE_CODE:
            raise BadInput(f"{path}: modes.interactive.platform: a person sits with claude-code here")
        agent_hooks.agree(file.hooks, path, settings.data_folder(), yes=yes)
        return cls(path, file)

    def settings(self, settings: Settings) -> Settings:
        """The settings with the program that the file gives headless work to."""
        mode = self.file.modes.get(Mode.HEADLESS)
        if mode is None or mode.platform is not Platform.CLAUDE_CODE or settings.headless == "scripted":
            return settings
        return settings.model_copy(update={"headless": "claude"})

    def routing(self, routing: "Routing") -> "Routing":
        """The router, overruled where the file says so."""
        return _Led(self.file, routing)

    def briefed(self, plan: Sequence[Planned]) -> list[Planned]:
        """The tasks with the instructions that stand below the front matter."""
        text = self.file.instructions.strip()
        brief = BRIEF.format(name=self.file.name, text=text) if text else ""
        return [replace(planned, brief=brief) for planned in plan]

    def before(self, plan: Sequence[Planned], run: Run, settings: Settings) -> None:
        """Run the first hook for every task; raises `BadInput` where it fails: then nothing should start."""
        for planned in plan if self.file.hooks.pre else ():
            decision = planned.decision
            around = Surroundings(planned.task, decision.mode, decision.platform, run.id, settings.data_folder())
            self._run(self.file.hooks.pre, run, around)

    def after(self, plan: Sequence[Planned], run: Run, settings: Settings) -> None:
        """Run the last hook once, the tasks being lines; what fails in it is only said."""
        if not self.file.hooks.post:
            return
        platforms, modes = ({getattr(one.decision, name) for one in plan} for name in ("platform", "mode"))
        around = Surroundings(
            "\n".join(one.task for one in plan), modes.pop() if len(modes) == 1 else "",
            platforms.pop() if len(platforms) == 1 else "", run.id, settings.data_folder(),
        )  # fmt: skip
        try:
            self._run(self.file.hooks.post, run, around)
        except BadInput as error:
            run.progress.note(f"{self.path}: {error}")

    def _run(self, hook: str, run: Run, around: Surroundings) -> None:
        for line in agent_hooks.run_hook(hook, run.cwd, around):
            run.progress.note(f"{self.file.name}: {line}")


@dataclass(frozen=True)
class _Led:
    """A router that an agent file overrules."""

    file: AgentFile
    inner: "Routing"

    def route(self, task: str, context: dict[str, Any] | None = None, platform: Platform | None = None) -> Decision:
        """Decide as the router does, unless the file gives this kind of work to another platform, or lacks it."""
        decision = self.inner.route(task, context, platform)
        if platform is None and (wanted := chosen(self.file, decision)) != decision.platform:
            decision = self.inner.route(task, context, wanted)
        if decision.workflow and not _has(self.file, WORKFLOWS):
            decision = decision.model_copy(update={"workflow": None})
        return decision

    def record_outcome(self, outcome: Outcome) -> None:
        """As the router does."""
        self.inner.record_outcome(outcome)

    def record_feedback(self, feedback: Feedback) -> None:
        """As the router does."""
        self.inner.record_feedback(feedback)

    def close(self) -> None:
        """As the router does."""
        self.inner.close()


def chosen(file: AgentFile, decision: Decision) -> Platform:
    """The platform that a task goes to: the file's for its kind, else the router's, of those that the file has."""
    own = file.mode_for(TaskType(decision.task_type)) if decision.task_type and _has(file, SELECTION) else None
    wanted = next((Platform(name) for name, mode in MODES.items() if mode is own), Platform(decision.platform))
    able = [platform for platform, capability in NEEDED.items() if _has(file, capability)]
    if wanted in able or not able:
        return wanted
    return max(able, key=lambda platform: decision.probabilities.get(platform, 0.0))


def _has(file: AgentFile, capability: str) -> bool:
    return not file.capabilities or capability in file.capabilities
