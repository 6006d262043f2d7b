"""A workflow as a picture: Mermaid for documents, boxes for a terminal, and the same boxes as SVG."""

import io
import re
from collections.abc import Iterator

from rich.align import Align
from rich.box import ROUNDED
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.text import Text

from runner.workflows.model import Kind, Phase, Workflow

WIDTH = 88
"""Of a drawing, in characters."""
COLOURS = {Kind.DESIGN: "cyan", Kind.WORK: "green", Kind.REVIEW: "magenta"}
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def mermaid(workflow: Workflow) -> str:
    """A Mermaid flowchart."""
    return "\n".join(("flowchart TD", *_nodes(workflow), *_edges(workflow))) + "\n"


def drawing(workflow: Workflow) -> Iterator[RenderableType]:
    """Boxes from top to bottom; what stands side by side waits for the same."""
    for number, level in enumerate(levels(workflow)):
        if number:
            yield Align.center(Text("│\n▼", style="dim"), width=WIDTH)
        boxes = [_box(phase, WIDTH // len(level) - 1) for phase in level]
        yield Align.center(Columns(boxes, padding=(0, 1)), width=WIDTH)


def svg(workflow: Workflow) -> str:
    """The drawing as SVG; it needs no fonts from elsewhere."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for part in drawing(workflow):
        console.print(part)
    return _FONT.sub("", console.export_svg(title=workflow.name, unique_id=f"w-{workflow.name}"))


def levels(workflow: Workflow) -> list[list[Phase]]:
    """The phases by how many others have to be done before, one after the other."""
    depth: dict[str, int] = {}
    for phase in workflow.phases:
        depth[phase.name] = 1 + max((depth[name] for name in phase.after), default=-1)
    return [[phase for phase in workflow.phases if depth[phase.name] == level] for level in sorted({*depth.values()})]


def manner(phase: Phase) -> str:
    """Who does a phase, and how."""
    how = "with you" if phase.interactive else f"{len(phase.workers)} workers" if len(phase.workers) > 1 else "headless"
    return f"{phase.platform}, {how}"


def _box(phase: Phase, width: int) -> Panel:
    lines = [Text(manner(phase), style="bold"), *(Text(f"• {task}") for task in phase.tasks)]
    lines += [Text(f"{worker.name}: {_one_line(worker.task) or 'its share of the design'}") for worker in phase.workers]
    lines += [Text(f"check: {check}", style="dim") for check in phase.checks]
    body = Text("\n").join(lines)
    return Panel(body, title=phase.name, box=ROUNDED, border_style=COLOURS[phase.kind], width=width)


def _nodes(workflow: Workflow) -> Iterator[str]:
    for phase in workflow.phases:
        shape = ("([", "])") if phase.interactive else ("[", "]")
        if not phase.workers:
            yield f'  {_id(phase.name)}{shape[0]}"{phase.name}<br/>{manner(phase)}"{shape[1]}'
            continue
        yield f'  subgraph {_id(phase.name)}["{phase.name}: {manner(phase)}"]'
        for worker in phase.workers:
            task = f"<br/>{_quoted(worker.task)}" if worker.task else ""
            yield f'    {_id(phase.name, worker.name)}["{worker.name}{task}"]'
        yield "  end"


def _edges(workflow: Workflow) -> Iterator[str]:
    for phase in workflow.phases:
        yield from (f"  {_id(before)} --> {_id(phase.name)}" for before in phase.after)
        if phase.kind is Kind.REVIEW and workflow.rework_rounds:
            work = [one for one in workflow.before(phase) if one.kind is Kind.WORK]
            yield from (f"  {_id(phase.name)} -. rework .-> {_id(one.name)}" for one in work[-1:])


def _id(*names: str) -> str:
    """A name that Mermaid takes: it stumbles over `end` and over dashes."""
    return "_".join(("p", *names)).replace("-", "_")


def _one_line(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _quoted(text: str) -> str:
    return _one_line(text).replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
