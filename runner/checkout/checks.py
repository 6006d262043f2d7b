"""Commands that judge merged work: run in its checkout, each to its end or its limit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runner.process import run

LONGEST_OUTPUT = 8_000
"""Characters of a check's output that are kept: the last ones, where failures are summed up."""


class Check(BaseModel):
    """What a check of the merged work said."""

    model_config = ConfigDict(frozen=True)

    command: str
    passed: bool
    output: str


def run_checks(commands: Sequence[str], cwd: Path, env: Mapping[str, str], limit_s: float) -> tuple[Check, ...]:
    """Run `commands` one after the other in `cwd`; all of them, whatever one says."""
    return tuple(_check(command, cwd, env, limit_s) for command in commands)


def _check(command: str, cwd: Path, env: Mapping[str, str], limit_s: float) -> Check:
    done = run(("sh", "-c", command), cwd=cwd, env=env, limit_s=limit_s)
    return Check(command=command, passed=done.code == 0, output=last_part(f"{done.out}\n{done.err}".strip()))


def last_part(output: str) -> str:
    """The end of an output that is too long."""
    return output if len(output) <= LONGEST_OUTPUT else f"…{output[-LONGEST_OUTPUT:]}"
