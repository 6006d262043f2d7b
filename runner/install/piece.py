"""What is installed: whole files of ours, and settings in files that are the user's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class File:
    """A file that is wholly ours."""

    path: Path
    content: bytes


class Setting(BaseModel):
    """One value in a settings file."""

    model_config = ConfigDict(frozen=True)

    place: tuple[str, ...]
    """Names that lead to it."""
    value: Any
    """Plain JSON."""
    is_item: bool = False
    """True where `place` is a list and `value` one item of it."""


@dataclass(frozen=True)
class Pieces:
    """Everything that one program gets in one scope; `root` is the folder that the scope is named by."""

    program: str
    scope: str
    root: Path
    files: Sequence[File]
    settings: dict[Path, Sequence[Setting]]
