"""A decision as a person reads it in the terminal."""

import shlex

from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.labels import Platform
from router.schemas import Decision

COLOURS = {Platform.CLAUDE_CODE: "magenta", Platform.CODEX: "cyan", Platform.HYBRID: "yellow"}
"""One colour a platform, everywhere."""
BAR_WIDTH = 24


def show(decision: Decision, task: str, console: Console) -> None:
    """Print platform, reason, probabilities, what it resembles, and the next command."""
    colour = COLOURS.get(Platform(decision.platform), "white") if decision.platform in set(Platform) else "white"
    console.print(Text.assemble(("→ ", "dim"), (decision.platform, f"bold {colour}"), f"  {decision.mode}"))
    console.print(Text(decision.reason))
    if decision.needs_confirmation:
        console.print(Text("not sure: confirm it, or say --platform yourself", "yellow"))
    console.print(_bars(decision))
    for one in decision.similar:
        console.print(Text(f"  {one.similarity:.2f} {one.task_type:<9} {' '.join(one.text.split())}", "dim"))
    command = f"runner execute {shlex.quote(task)}" if len(task) < 200 else "runner execute TASK"
    console.print(Text.assemble(("next:   ", "dim"), command), soft_wrap=True)
    console.print(Text.assemble(("wrong?  ", "dim"), f"runner feedback {decision.decision_id} --should-be PLATFORM"),
                  soft_wrap=True)  # fmt: skip


def _bars(decision: Decision) -> Table:
    table = Table.grid(padding=(0, 1))
    for name, p in sorted(decision.probabilities.items(), key=lambda item: -item[1]):
        colour = COLOURS[Platform(name)] if name in set(Platform) else "white"
        table.add_row(name, Text("█" * max(1, round(p * BAR_WIDTH)), colour), f"{p:.0%}")
    return table
