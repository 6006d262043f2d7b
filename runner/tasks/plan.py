"""A task and who takes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from router.labels import Mode, Platform
from router.schemas import Decision

SLUG_LENGTH = 20
KEYS: Mapping[str, Platform] = {"i": Platform.CLAUDE_CODE, "c": Platform.CODEX, "h": Platform.HYBRID}
"""The key that names a platform wherever a person is asked."""


@dataclass(frozen=True)
class Planned:
    """A task with its decision."""

    worker: str
    """Names the task within the run: its number and first words."""
    task: str
    decision: Decision
    after: tuple[str, ...] = ()
    """The workers that must have succeeded before."""
    brief: str = ""
    """Instructions beside the task, of an agent file."""

    @property
    def prompt(self) -> str:
        """All that an agent is told who works alone."""
        return with_brief(self.task, self.brief)

    @property
    def mode(self) -> Mode:
        """How it is to be run."""
        return self.decision.mode


def with_brief(task: str, brief: str) -> str:
    """A task with the instructions that it is done under; the task comes first, for it is what is looked for."""
    return f"{task}\n\n{brief}" if brief else task


def slug(task: str) -> str:
    """The first words of a task as a name that git and every file system take."""
    words = re.findall(r"[a-z0-9]+", task.lower())
    return "-".join(words)[:SLUG_LENGTH].strip("-") or "task"
