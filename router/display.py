"""A decision as a person reads it in the terminal."""

import shlex
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.labels import Platform

COLOURS = {Platform.CLAUDE_CODE: "magenta", Platform.CODEX: "cyan", Platform.HYBRID: "yellow"}
"""One colour a platform, everywhere."""
BAR_WIDTH = 24


def show(decision: dict[str, Any], task: str, console: Console) -> None:
    """Print platform, reason, probabilities, what it resembles, and the next command.

    `decision` is a decision's JSON object.
    """
    platform = decision["platform"]
    console.print(Text.assemble(("→ ", "dim"), (platform, f"bold {_colour(platform)}"), f"  {decision['mode']}"))
    console.print(Text(decision["reason"]))
    if decision["needs_confirmation"]:
        console.print(Text("not sure: confirm it, or say --platform yourself", "yellow"))
    console.print(_bars(decision["probabilities"]))
    for one in decision["similar"]:
        shown = " ".join(one["text"].split())
        console.print(Text(f"  {one['similarity']:.2f} {one['task_type']:<9} {shown}", "dim"))
    command = f"runner execute {shlex.quote(task)}" if len(task) < 200 else "runner execute TASK"
    console.print(Text.assemble(("next:   ", "dim"), command), soft_wrap=True)
    console.print(Text.assemble(("wrong?  ", "dim"), f"runner feedback {decision['decision_id']} --should-be PLATFORM"),
                  soft_wrap=True)  # fmt: skip


def _bars(probabilities: dict[str, float]) -> Table:
    table = Table.grid(padding=(0, 1))
    for name, p in sorted(probabilities.items(), key=lambda item: -item[1]):
        table.add_row(name, Text("█" * max(1, round(p * BAR_WIDTH)), _colour(name)), f"{p:.0%}")
    return table


def _colour(platform: str) -> str:
    return COLOURS[Platform(platform)] if platform in set(Platform) else "white"
