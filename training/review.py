"""The user looks over proposed labels in the terminal, one key a row."""

from collections.abc import Callable, Sequence

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from training.proposals import Proposal, decided

SHOWN_CHARACTERS = 1500
ACCEPT, SKIP, QUIT = ("a", "\r", "\n"), "s", ("q", "\x03", "\x04")
_KEYS = "1234567890bcdefghijklmnoprtuvwxyz"


def review(
    queue: Sequence[Proposal], labels: Sequence[str], console: Console, key: Callable[[], str],
    save: Callable[[Proposal], None],
) -> int:  # fmt: skip
    """Show the proposals in order until the user quits; every answer is saved at once. Returns how many were judged.

    Args:
        queue: what to show.
        labels: the labels to choose from.
        console: where it is shown.
        key: waits for one key.
        save: told of every proposal that was judged.
    """
    choices = dict(zip(_KEYS, labels, strict=False))
    for number, proposal in enumerate(queue):
        console.print(_panel(proposal, f"{number + 1} of {len(queue)}"))
        console.print(f"  \\[a]ccept {proposal.task_type}   \\[s]kip   \\[q]uit   or change to:", highlight=False)
        console.print(_legend(choices))
        answer = _answer(key, choices)
        if answer in QUIT:
            return number
        label = proposal.task_type if answer in ACCEPT else choices.get(answer)
        made = decided(proposal, label)
        save(made)
        said = "skipped" if made.state == "skipped" else f"{made.state}: {made.task_type}"
        console.print(f"  {said}\n", style="dim", highlight=False)
    return len(queue)


def _answer(key: Callable[[], str], choices: dict[str, str]) -> str:
    while True:
        pressed = key()
        if pressed in {*ACCEPT, SKIP, *QUIT, *choices}:
            return pressed


def _panel(proposal: Proposal, place: str) -> Panel:
    text = proposal.text
    shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}\n…"
    seen = ", ".join((proposal.source.removeprefix("history-"), *proposal.signs))
    return Panel(Text(shown), title=f"{place} · {seen}", title_align="left", border_style="dim")


def _legend(choices: dict[str, str]) -> Padding:
    return Padding(Columns([f"[bold]{key}[/] {escape(label)}" for key, label in choices.items()]), (0, 0, 0, 2))
