"""A tool: its name, what it takes, what it does, and how harmless it is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from mcp_types import Tool as Announced
from mcp_types import ToolAnnotations

from runner.mcp.arguments import Arguments, read_arguments, schema_of
from runner.mcp.place import Place

_A = TypeVar("_A", bound=Arguments)
Reply = dict[str, Any]


class Effect(Enum):
    """What a tool may do. Codex runs headless, unasked, what is neither destructive nor open to the world."""

    READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    """It can be undone: older values stay, and the work of sessions stays on its branches."""
    STARTS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)


@dataclass(frozen=True)
class Tool(Generic[_A]):
    """One tool of the server."""

    name: str
    description: str
    effect: Effect
    arguments: type[_A]
    run: Callable[[Place, _A], Reply]

    def announce(self) -> Announced:
        """What `tools/list` says of it."""
        return Announced(
            name=self.name, description=self.description, input_schema=schema_of(self.arguments),
            annotations=self.effect.value,
        )  # fmt: skip

    def call(self, place: Place, given: dict[str, Any]) -> Reply:
        """Check the arguments and run it; raises `RunnerError` or `RouterError`."""
        return self.run(place, read_arguments(self.arguments, given))
