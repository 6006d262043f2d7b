"""Who takes which task: routed, and confirmed by the person where the router is unsure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.client import Routing
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

    @property
    def mode(self) -> Mode:
        """How it is to be run."""
        return self.decision.mode


def route_all(
    tasks: Sequence[str], routing: Routing, context: dict[str, Any], platform: Platform | None = None
) -> list[Planned]:
    """Have every task routed; `platform` is the user's own choice for all of them.

    Raises:
        RouterError: the router refuses a task or does not answer.
    """
    return [
        Planned(f"{number}-{slug(task)}", task, routing.route(task, context, platform))
        for number, task in enumerate(tasks, start=1)
    ]


def slug(task: str) -> str:
    """The first words of a task as a name that git and every file system take."""
    words = re.findall(r"[a-z0-9]+", task.lower())
    return "-".join(words)[:SLUG_LENGTH].strip("-") or "task"
