"""RunnerError (in `runner.errors`)
├── BadInput
│   ├── WorkflowInvalid    2: a workflow file says what can't be carried out; names line and column
│   ├── WorkflowUnknown    2: no workflow has this name
│   └── VariableMissing    2: a variable of a workflow has no value
├── RunUnknown             2: no workflow run begins so, or several do
└── PhaseFailed            1: a phase can't go on; the run can be resumed
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from runner.errors import BadInput, RunnerError


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file; line and column count from 1."""

    line: int
    column: int
    what: str


class WorkflowInvalid(BadInput):
    """A workflow file can't be carried out; `problems` are in the order of the file."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        super().__init__(source)
        self.args = (source, tuple(problems))
        self.source, self.problems = source, tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}:{one.line}:{one.column}: {one.what}" for one in self.problems)


class WorkflowUnknown(BadInput):
    """There is no workflow of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name)
        self.args = (name, tuple(known))
        self.name, self.known = name, tuple(known)

    def __str__(self) -> str:
        hint = did_you_mean(self.name, self.known) or f"; there are {', '.join(self.known)}"
        return f"no workflow {self.name!r}{hint}; own ones lie in .dual/workflows/"


class VariableMissing(BadInput):
    """A variable has no value."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the workflow needs a value for {{{{{self.name}}}}}; give it by --var {self.name}=VALUE"


class RunUnknown(BadInput):
    """No run of a workflow is called so."""

    def __init__(self, run: str, found: Sequence[str]) -> None:
        super().__init__(run)
        self.args = (run, tuple(found))
        self.run, self.found = run, tuple(found)

    def __str__(self) -> str:
        what = f"several runs begin with {self.run!r}" if self.found else f"no workflow run {self.run!r}"
        return f"{what} in this repository; `runner status` lists the runs"


class PhaseFailed(RunnerError):
    """A phase can't go on."""

    def __init__(self, phase: str, reason: str) -> None:
        super().__init__(phase, reason)
        self.phase, self.reason = phase, reason

    def __str__(self) -> str:
        return f"phase {self.phase}: {self.reason}"


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A suggestion to hang on a sentence; empty where nothing is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
