"""`.dual.toml`: what a repository says about running sessions in it. Read from the user's checkout."""

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from runner.errors import BadInput

FILE = ".dual.toml"


def _check_pattern(pattern: str) -> str:
    if not pattern.strip(" /") or ".." in PurePosixPath(pattern).parts or "\0" in pattern:
        raise ValueError(f"{pattern!r} names nothing inside the repository; write it as a .gitignore would")
    return pattern


def _check_command(command: str) -> str:
    if not command.strip() or "\0" in command:
        raise ValueError("the command is blank; leave it out, or say what is to be run")
    return command


Pattern = Annotated[str, AfterValidator(_check_pattern)]
ShellCommand = Annotated[str, AfterValidator(_check_command)]


class Project(BaseModel):
    """Every setting of the file; without a file, these defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True)

    copy_: tuple[Pattern, ...] = Field(default=(), alias="copy")
    """Ignored files that each new worktree gets a copy of; patterns as in `.gitignore`."""
    setup: ShellCommand | None = None
    """Run by `sh` once in each new worktree, before the session."""
    setup_timeout_s: float = Field(default=600, gt=0)
    """Longest that `setup` may run, in seconds."""
    check: tuple[ShellCommand, ...] = ()
    """Run by `sh`, one after the other, on the merged work."""
    check_timeout_s: float = Field(default=900, gt=0)
    """Longest that each of them may run, in seconds."""
    workers: int | None = Field(default=None, ge=1)
    """Headless sessions at once. None: as the runner's settings say; so for the two below."""
    timeout_s: float | None = Field(default=None, gt=0)
    """Longest a headless session may run, in seconds."""
    max_cost_usd: float | None = Field(default=None, gt=0)
    """Most a session may cost, in US dollars."""


def read_project(root: Path) -> Project:
    """Read the file of the checkout whose top folder is `root`; where there is none, the defaults.

    Raises:
        BadInput: it can't be read, or says what can't be; names the file and the line.
    """
    path = root / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Project()
    except OSError as error:
        raise BadInput(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8; save the file as UTF-8 text") from error
    try:
        return Project.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(_syntax(path, text, str(error))) from error
    except ValidationError as error:
        raise BadInput("\n".join(_told(path, text, dict(one)) for one in error.errors())) from error


def _syntax(path: Path, text: str, message: str) -> str:
    """TOML's own message names the line at its end, or says that the file ended too early."""
    found = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(found[1]) if found else text.count("\n") + 1
    problem = message[: found.start()] if found else message.removesuffix(" (at end of document)")
    return f"{path}:{line}: {problem[:1].lower()}{problem[1:]}; this is no TOML"


def _told(path: Path, text: str, error: dict[str, object]) -> str:
    where = error["loc"]
    key = str(where[0]) if isinstance(where, tuple) and where else ""
    found = re.search(rf"^[ \t]*\[?\"?{re.escape(key)}\b", text, re.MULTILINE)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    return f"{path}:{line}: {_problem(key, error)}"


def _problem(key: str, error: dict[str, object]) -> str:
    if error["type"] != "extra_forbidden":
        message = str(error["msg"])
        own = message.removeprefix("Value error, ")
        return f"{key}: {own}" if own != message else f"{key}: {error['input']!r}: {message}"
    known = [field.alias or name for name, field in Project.model_fields.items()]
    near = get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
    return f"there is no setting {key!r}{hint}"
