"""RunnerError (in `runner.errors`)
└── BadInput
    ├── ArgumentRefused    2: an argument of a tool can't be used as it is
    ├── UnknownTool        2: there is no tool of this name
    └── UnknownThing       2: there is no swarm, agent or task of this id
"""

from runner.errors import BadInput


class ArgumentRefused(BadInput):
    """An argument of a tool can't be used; `code` says which kind of rule it broke."""

    def __init__(self, problem: str, code: str = "INVALID_PARAM") -> None:
        super().__init__(problem)
        self.args = (problem, code)
        self.code = code


class UnknownTool(BadInput):
    """There is no such tool."""

    code = "UNKNOWN_TOOL"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no tool {name[:100]!r}; tools/list names them all")
        self.args = (name,)


class UnknownThing(BadInput):
    """There is no such swarm, agent or task."""

    code = "NOT_FOUND"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"there is no {kind} {name[:100]!r} in this repository; {kind}_status or {kind}_list shows them"
        )
        self.args = (kind, name)
        self.kind, self.name = kind, name
