"""What a user wants of a workflow: at its start, and when it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.orders.execute import Order
from runner.workflows.state import Verdict


@dataclass(frozen=True)
class Wish:
    """What the user asked for."""

    workflow: str
    """A name, or a file."""
    task: str
    variables: Mapping[str, str]
    interactive: bool = True
    design: str = ""
    """Where in the memory the design lies, which is not made then; empty: it is made."""
    order: Order = field(default_factory=lambda: Order(()))
    """Base, limits and sessions at once."""
    brief: str = ""
    """Instructions that all sessions work under."""


@dataclass(frozen=True)
class Change:
    """What is to be otherwise when a run goes on."""

    verdict: Verdict | None = None
    """Of the review that waits for one."""
    notes: str = ""
    skip: tuple[str, ...] = ()
    """Phases to leave out."""
    retry: tuple[str, ...] = ()
    """Phases to do again, with all that comes after them."""
    interactive: bool | None = None
    """Whether a person has the phases that want one; None: as before."""
