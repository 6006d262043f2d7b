"""An agent file: Markdown whose front matter says which kinds of work go where, and what runs before and after."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from router.labels import Mode, Platform, TaskType
from runner.errors import BadInput
from runner.workflows.marked import load

LARGEST_BYTES = 1024 * 1024
USES: dict[str, frozenset[TaskType]] = {
    "complex-reasoning": frozenset({TaskType.EXPLAIN, TaskType.DESIGN}),
    "architecture-decisions": frozenset({TaskType.DESIGN}),
    "debugging": frozenset({TaskType.DEBUG}),
    "real-time-review": frozenset({TaskType.REVIEW}),
    "parallel-execution": frozenset({TaskType.BATCH, TaskType.IMPLEMENT}),
    "batch-processing": frozenset({TaskType.BATCH}),
    "code-generation": frozenset({TaskType.IMPLEMENT}),
    "documentation": frozenset({TaskType.DOCUMENT}),
    "testing": frozenset({TaskType.TEST}),
}
"""What the words under `use_for` mean; the name of a task type means itself."""


class AgentMode(BaseModel):
    """One way to run: on which platform, and for what."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    platform: Platform
    use_for: tuple[str, ...] = ()

    @field_validator("use_for")
    @classmethod
    def _are_known(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [word for word in words if not _types(word)]
        if unknown:
            known = ", ".join((*USES, *TaskType))
            raise ValueError(f"use_for has {unknown[0]!r}, which is none of {known}")
        return words

    def task_types(self) -> frozenset[TaskType]:
        """The task types that `use_for` stands for."""
        return frozenset(kind for word in self.use_for for kind in _types(word))


class AgentHooks(BaseModel):
    """Shell text that runs around the work, with the task in `$TASK`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pre: str = ""
    post: str = ""


class AgentFile(BaseModel):
    """What an agent file says; keys that other programs read are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(min_length=1)
    description: str = ""
    capabilities: tuple[str, ...] = ()
    modes: dict[Mode, AgentMode] = {}
    hooks: AgentHooks = AgentHooks()
    instructions: str = ""
    """The Markdown below the front matter."""

    def mode_for(self, task_type: TaskType) -> Mode | None:
        """The way that the file gives this kind of work to; None where it says nothing, or two things."""
        found = [name for name, mode in self.modes.items() if task_type in mode.task_types()]
        return found[0] if len(found) == 1 else None

    def platform_for(self, task_type: TaskType) -> Platform | None:
        """The platform of that."""
        mode = self.mode_for(task_type)
        return self.modes[mode].platform if mode else None


def read_agent_file(path: Path) -> AgentFile:
    """Read an agent file.

    Raises:
        BadInput: it can't be read, has no front matter, or says what can't be obeyed; names file and line.
    """
    front, instructions = _split(path)
    data = load(front, str(path)).data
    if not isinstance(data, dict):
        raise BadInput(f"{path}: the front matter has no names; it begins with `name: …`")
    try:
        return AgentFile.model_validate({**data, "instructions": instructions})
    except ValidationError as error:
        raise BadInput(f"{path}: {_first(error)}") from error


def _split(path: Path) -> tuple[bytes, str]:
    """The front matter, with an empty line in the place of its fence so that lines keep their numbers; the rest."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8; save it as UTF-8 text") from error
    if len(data) > LARGEST_BYTES:
        raise BadInput(f"{path}: has {len(data)} bytes, at most {LARGEST_BYTES} are taken")
    front, fence, rest = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not fence:
        raise BadInput(f"{path}: has no front matter; an agent file begins with `---`, YAML and `---`")
    return f"\n{front}\n".encode(), rest.lstrip("\n")


def _types(word: str) -> frozenset[TaskType]:
    return USES.get(word) or frozenset(kind for kind in TaskType if kind == word)


def _first(error: ValidationError) -> str:
    first: Any = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
