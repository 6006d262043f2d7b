"""RunnerError (in `runner.errors`)
└── BadInput
    ├── ConfigurationUnusable  2: a settings file of the user's can't be read, or not be edited without harm
    ├── ChangedMeanwhile       2: a file changed between being shown and being written
    ├── NotAgreed              2: nobody is there to agree to the changes
    └── PluginMissing          2: the files to install are not there
"""

from pathlib import Path

from runner.errors import BadInput


class ConfigurationUnusable(BadInput):
    """A settings file can't be read, or not be edited without changing more than was meant."""

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(problem)
        self.args = (str(path), problem)
        self.path = str(path)

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; nothing was changed"


class ChangedMeanwhile(BadInput):
    """A file isn't what it was when the changes were shown."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"{path} has changed since it was read; run the command again")
        self.args = (str(path),)
        self.path = str(path)


class NotAgreed(BadInput):
    """Nobody is there to be asked."""

    def __init__(self) -> None:
        super().__init__("there is no terminal to ask at; say --yes to change this, or --dry-run to look only")
        self.args = ()


class PluginMissing(BadInput):
    """The plugin's files are neither in this installation nor in a checkout."""

    def __init__(self, folder: Path | str) -> None:
        super().__init__(f"{folder} is missing; install dual-orchestrator again")
        self.args = (str(folder),)
        self.folder = str(folder)
