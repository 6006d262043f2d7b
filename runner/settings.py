"""Settings of the runner, read once from the environment (`RUNNER_…`)."""

import os
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from runner.errors import BadInput
from runner.pace import SESSION_BYTES, Pace

MOST_WORKERS = 4
PREFIX = "RUNNER_"


class Settings(BaseModel):
    """Every setting, its variable being `RUNNER_` and the name in capitals."""

    # No `pydantic_settings`, which takes 25 ms and 5 MB of every command.
    model_config = ConfigDict(extra="forbid", frozen=True)

    router_url: str | None = None
    """Address of the router service. None: one on the default port, else the router in process."""
    router_token: SecretStr | None = None
    """Bearer token of that service; `ROUTER_TOKEN` is taken too."""
    home: Path | None = None
    """Folder of run records, worktrees and unsent outcomes. None: the user's data folder."""
    database_url: str | None = None
    """SQLAlchemy URL of the shared memory. None: a SQLite file for each repository, under `home`."""
    mcp_token: SecretStr | None = None
    """Token that callers of `runner mcp --http` must send. None: one is made up and printed at each start."""
    claude: Path | None = None
    """The `claude` program. None: the one on PATH, else the one the extra `agents` brings."""
    codex: Path | None = None
    """The `codex` program. None: the one on PATH, else the one the extra `agents` brings."""
    headless: Literal["auto", "codex", "claude", "scripted"] = "auto"
    """Program of headless tasks. `auto` is codex, or claude where codex is missing; `scripted` plays the task."""
    workers: int = Field(default=0, ge=0)
    """Headless sessions at once. 0: up to four, as free memory allows."""
    timeout_s: float = Field(default=1800, gt=0)
    """Longest a headless session may run, in seconds."""
    silence_s: float = Field(default=900, gt=0)
    """Longest a headless session may print nothing, in seconds; a long build or test run is silent too."""
    grace_s: float = Field(default=2, ge=0)
    """Wait after SIGINT, and again after SIGTERM, before a session is killed, in seconds."""
    lock_wait_s: float = Field(default=60, ge=0)
    """Longest wait for another runner that is making a worktree in the same repository, in seconds."""
    program_sessions: int = Field(default=Pace.program_sessions, ge=1)
    """Sessions of one program at once, of all runs together."""
    stagger_s: float = Field(default=Pace.stagger_s, ge=0)
    """Wait between the starts of two sessions, in seconds: providers refuse many that begin at once."""
    worker_idle_s: float = Field(default=Pace.worker_idle_s, gt=0)
    """How long the worker waits for another run before it leaves, in seconds."""
    tmux: bool = False
    """Interactive tasks have a window of tmux, which goes on when the terminal is closed."""
    pass_env: str = ""
    """Further variables that headless sessions see: names or patterns such as `GOPATH,AWS_*`."""

    def data_folder(self) -> Path:
        """Where everything of the runner lies."""
        if self.home is None:
            from platformdirs import user_data_path

            return user_data_path("dual-orchestrator").absolute() / "runner"
        return self.home.expanduser().absolute()

    def workers_at_once(self) -> int:
        """`workers`, or what fits into the free memory."""
        fitting = psutil.virtual_memory().available // SESSION_BYTES
        return self.workers or int(max(1, min(MOST_WORKERS, fitting)))


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        BadInput: a variable holds what it can't.
    """
    given = {name: os.environ.get(f"{PREFIX}{name.upper()}") for name in Settings.model_fields}
    given["router_token"] = given["router_token"] or os.environ.get("ROUTER_TOKEN")
    try:
        return Settings.model_validate({name: text for name, text in given.items() if text})
    except ValidationError as error:
        raise unreadable(PREFIX, error) from error


def unreadable(prefix: str, error: ValidationError) -> BadInput:
    """Say which variable of a settings class holds what it can't."""
    first = error.errors()[0]
    name = str(first["loc"][0]).upper().removeprefix(prefix)
    return BadInput(f"{prefix}{name}={first['input']}: {first['msg']}; correct the variable or unset it")
