"""RunnerError (in `runner.errors`)
├── BadInput
│   ├── EntryRefused       2: a key, value, query or option can't be stored or looked up as it is
│   └── EntryExists        2: the key is taken, and no upsert was wanted
├── EntryMissing           1: there is no such entry
└── MemoryUnavailable      5: the database can't be read or written
"""

from runner.errors import BadInput, RunnerError


class EntryRefused(BadInput):
    """A key, value, query or option can't be used as it is; `code` says which rule it broke."""

    def __init__(self, problem: str, code: str = "INVALID_PARAM") -> None:
        super().__init__(problem)
        self.args = (problem, code)
        self.code = code


class EntryExists(BadInput):
    """The key is taken."""

    code = "KEY_EXISTS"

    def __init__(self, namespace: str, key: str, version: int) -> None:
        super().__init__(f"{key!r} is in {namespace!r} already")
        self.args = (namespace, key, version)
        self.namespace, self.key, self.version = namespace, key, version

    def __str__(self) -> str:
        return f"{self.problem}, as version {self.version}; store it with upsert, or under another key"


class EntryMissing(RunnerError):
    """There is no such entry, or it is not for this reader."""

    exit_code = 1
    code = "NOT_FOUND"

    def __init__(self, namespace: str, key: str, version: int | None = None) -> None:
        super().__init__(namespace, key, version)
        self.namespace, self.key, self.version = namespace, key, version

    def __str__(self) -> str:
        what = f"{self.key!r}" + (f" of version {self.version}" if self.version else "")
        return f"no {what} in {self.namespace!r}; `runner memory list --namespace {self.namespace}` shows what is there"


class MemoryUnavailable(RunnerError):
    """The database can't be read or written."""

    exit_code = 5
    code = "UNAVAILABLE"

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url, self.problem = url, problem

    def __str__(self) -> str:
        return f"memory {self.url}: {self.problem}; free some space, or set RUNNER_HOME or RUNNER_DATABASE_URL"
