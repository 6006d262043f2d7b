"""Where workflows come from: the built-in ones, and the repository's own in `.dual/workflows/`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.workflows.errors import WorkflowInvalid, WorkflowUnknown
from runner.workflows.model import Workflow
from runner.workflows.reading import read_file

BUILT_IN = Path(__file__).with_name("builtin")
OWN = Path(".dual/workflows")
DEFAULT = "hybrid_development"


@dataclass(frozen=True)
class Listed:
    """A workflow that can be named."""

    name: str
    path: Path
    own: bool
    workflow: Workflow | None
    problem: str = ""
    """Why it can't be carried out; empty where it can."""


def listed(root: Path) -> list[Listed]:
    """All workflows for the repository at `root`; one's own hide built-in ones of the same name."""
    found = {one.name: one for own in (False, True) for one in _in(root / OWN if own else BUILT_IN, own=own)}
    return [found[name] for name in sorted(found)]


def find(name: str, root: Path) -> Workflow:
    """Return the workflow of this name, or of this file.

    Raises:
        WorkflowUnknown: there is none.
        WorkflowInvalid: it can't be carried out.
    """
    if "/" in name or name.endswith((".yaml", ".yml")):
        return read_file(Path(name))
    found = {one.name: one for one in listed(root)}
    if name not in found:
        raise WorkflowUnknown(name, list(found))
    return found[name].workflow or read_file(found[name].path)


def _in(folder: Path, *, own: bool) -> Iterator[Listed]:
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            workflow = read_file(path)
        except WorkflowInvalid as error:
            yield Listed(path.stem, path, own, None, str(error))
        else:
            yield Listed(workflow.name, path, own, workflow)
