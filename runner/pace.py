"""How the worker goes about it: read by the worker itself, which is small because it reads no other setting."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

SESSION_BYTES = 512 * 1024**2
"""What one session is reckoned to need: the programs themselves take 150 to 250 MiB, their tools the rest."""


@dataclass(frozen=True)
class Pace:
    """Settings of the worker; `Settings` names and checks the same ones."""

    program_sessions: int = 16
    stagger_s: float = 0.05
    worker_idle_s: float = 300.0

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read `RUNNER_…` variables, which whoever started the worker has checked."""
        given = {one.name: environ.get(f"RUNNER_{one.name.upper()}", "") for one in fields(cls)}
        defaults = cls()
        return cls(**{name: type(getattr(defaults, name))(text) for name, text in given.items() if text})
