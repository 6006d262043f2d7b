"""RouterError
├── InvalidTask       the task itself can't be routed
├── ArtifactError     a model folder is missing, damaged or not to be trusted
├── PolicyError       the policy file is wrong
├── JournalError      the journal can't be read or written
├── ReusedKey         an idempotency key came with another request before
├── UnknownDecision   an outcome or feedback names a decision nobody made
├── ServiceUnavailable  the router service did not answer
├── MissingExtra      a setting needs packages that are not installed
└── CannotListen      the service can't be started where it was told to

The command line ends with the error's `exit_code`; `docs/router.md` lists them.
"""

from pathlib import Path


class RouterError(Exception):
    """Base of all errors of `router`; `exit_code` is what the command line ends with."""

    exit_code = 1


class InvalidTask(RouterError):
    """The task can't be routed as it is."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class ArtifactError(RouterError):
    """A model folder can't be used."""

    exit_code = 4

    def __init__(self, folder: Path | str, problem: str) -> None:
        super().__init__(str(folder), problem)
        self.folder, self.problem = str(folder), problem

    def __str__(self) -> str:
        return f"model folder {self.folder}: {self.problem}; train one with `train-router` or restore it"


class PolicyError(RouterError):
    """The policy file is wrong."""

    exit_code = 2

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def __str__(self) -> str:
        return f"policy {self.source}: {self.problem}"


class JournalError(RouterError):
    """The journal can't be read or written."""

    exit_code = 5

    def __init__(self, url: str, problem: str, *, passing: bool = True) -> None:
        super().__init__(url, problem)
        self.url, self.problem = url, problem
        self.passing = passing
        """False where the same write can never succeed."""

    def __str__(self) -> str:
        return f"journal {self.url}: {self.problem}; set ROUTER_DATABASE_URL to a database that can be written"


class ReusedKey(RouterError):
    """This idempotency key came with another request before."""

    exit_code = 2

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"the idempotency key {self.key!r} came with another request before; use a new one for each request"


class UnknownDecision(RouterError):
    """No decision has this id."""

    exit_code = 2

    def __init__(self, decision_id: str) -> None:
        super().__init__(decision_id)
        self.decision_id = decision_id

    def __str__(self) -> str:
        return f"no decision {self.decision_id!r} in the journal; `GET /decisions` lists the latest"


class ServiceUnavailable(RouterError):
    """The router service did not answer as it should."""

    exit_code = 6

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url, self.problem = url, problem

    def __str__(self) -> str:
        return f"router service at {self.url}: {self.problem}; start it with `router serve`"


class CannotListen(RouterError):
    """The service can't listen at this address."""

    exit_code = 7

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(host, port, problem)
        self.host, self.port, self.problem = host, port, problem

    def __str__(self) -> str:
        return f"can't listen on {self.host}:{self.port}: {self.problem}"


class MissingExtra(RouterError):
    """A setting needs packages that are not installed."""

    exit_code = 2

    def __init__(self, extra: str, setting: str) -> None:
        super().__init__(extra, setting)
        self.extra, self.setting = extra, setting

    def __str__(self) -> str:
        return f"{self.setting} needs more packages; pip install 'dual-orchestrator[{self.extra}]'"
