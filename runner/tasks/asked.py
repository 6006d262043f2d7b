"""A task as the user wrote it, in a file or as an argument."""

from dataclasses import dataclass

from router.labels import Platform

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"
"""What tasks may be called: good in a branch name."""


@dataclass(frozen=True)
class Asked:
    """A task as it stands in a file."""

    task: str
    place: str = ""
    """File and line, for what is to be said of it; empty where it comes from the command line."""
    name: str | None = None
    after: tuple[str, ...] = ()
    """Names, or numbers in the file, of the tasks before it."""
    platform: Platform | None = None
    done: bool = False
    """Ticked off: not to be started."""
