"""RunnerError
└── ProviderError
    ├── ScriptError   a script file can't be read or doesn't say what to play
    └── PortUnusable  the provider can't listen where it should
"""

from runner.errors import RunnerError


class ProviderError(RunnerError):
    """Base of the errors of the scripted provider."""

    exit_code = 2


class ScriptError(ProviderError):
    """A script file can't be read or doesn't say what to play."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


class PortUnusable(ProviderError):
    """The provider can't listen where it should."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(port, reason)
        self.port, self.reason = port, reason

    def __str__(self) -> str:
        return f"can't listen on port {self.port}: {self.reason}"
