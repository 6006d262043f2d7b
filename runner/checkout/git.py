"""Git, run in one folder without the caller's `GIT_…` variables, hooks or prompts."""

import os
from pathlib import Path

from runner.errors import GitFailed
from runner.process import run

_QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "commit.gpgSign=false", "-c", "core.quotePath=false")
"""A hook of the user's would run where nobody expects it; a signature may ask for a passphrase."""


class Git:
    """Runs git commands in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *args: str) -> str:
        """Run one command and return what it printed, without the last line break.

        Raises:
            GitFailed: it ended with an error.
            ProgramMissing: there is no git.
        """
        done = run(("git", *_QUIET, *args), cwd=self.folder, env=_environment())
        if done.code:
            raise GitFailed(self.folder, args, done.err.strip().removeprefix("fatal: "))
        return done.out.rstrip("\n")

    def succeeds(self, *args: str) -> bool:
        """True where the command ends without an error."""
        return run(("git", *_QUIET, *args), cwd=self.folder, env=_environment()).code == 0


def _environment() -> dict[str, str]:
    # GIT_DIR and its kin are set inside git's own hooks and would send every command elsewhere; without
    # optional locks, looking at the user's checkout writes nothing there.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**inherited, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
