"""What the provider plays: named scripts of steps, read from YAML and checked before anything is served."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from runner.provider.errors import ScriptError

BUILT_IN = Path(__file__).with_name("demo.yaml")
"""The scripts that the demo plays, which are also played where no others are given."""
DEFAULT = "default"
"""Name of the script for a prompt that no other script is for, and for what comes after a script's end."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(_Frozen):
    """A shell command, run in the working directory; in a script just `run: COMMAND`."""

    command: str


class Write(_Frozen):
    """A whole file, new or replaced; `path` is relative to the working directory."""

    path: str
    content: str


class Edit(_Frozen):
    """A change of an existing file; `old` and `new` are whole lines and `old` occurs once."""

    path: str
    old: str
    new: str


class Call(_Frozen):
    """A call of the tool `tool` of the MCP server `server`; with an empty one, of Claude's own tool of that name."""

    server: str
    tool: str
    arguments: dict[str, Any] = {}


Action = Run | Write | Edit | Call


class Failure(_Frozen):
    """An HTTP error instead of the step."""

    status: int = Field(ge=400, le=599)
    times: int | None = Field(default=None, ge=1)
    """How many requests of one session fail before the step is played; None is all of them."""
    retry_after_s: int | None = Field(default=None, ge=0)
    resets_in_s: int | None = Field(default=None, ge=0)
    """The account's allowance is used up, for so many seconds; `status` is 429 then."""
    message: str = "scripted failure"


class Usage(_Frozen):
    """The token counts that the provider reports."""

    input: int = Field(default=100, ge=0)
    cached: int = Field(default=0, ge=0)
    output: int = Field(default=20, ge=0)


class Step(_Frozen):
    """One answer of the model: something said, then at most one action."""

    say: str = ""
    run: str | None = None
    write: Write | None = None
    edit: Edit | None = None
    call: Call | None = None
    delay_s: float = Field(default=0, ge=0)
    """Seconds before the answer begins."""
    error: Failure | None = None
    hang: Literal["before", "midway"] | None = None
    """Never answer, or fall silent after the answer has begun."""
    disconnect: bool = False
    """Close the connection in the middle of the answer."""
    usage: Usage = Usage()

    @model_validator(mode="after")
    def _has_at_most_one_action(self) -> Self:
        actions = [name for name in ("run", "write", "edit", "call") if getattr(self, name) is not None]
        if len(actions) > 1:
            raise ValueError(f"a step has one action, this one has {' and '.join(actions)}")
        return self

    @property
    def action(self) -> Action | None:
        """What the program is asked to do, if anything."""
        return self.write or self.edit or self.call or (None if self.run is None else Run(command=self.run))


class Script(_Frozen):
    """The answers to one prompt and, in between, to the results of its actions."""

    task: re.Pattern[str] | None = None
    """A prompt in which this is found plays the script; what its named groups caught fills `{{name}}`."""
    blanks: dict[str, str] = {}
    """What fills `{{name}}` where no group of that name caught anything."""
    repeat: bool = False
    """Begin again after the last step, for ever."""
    steps: tuple[Step, ...] = Field(min_length=1)


Scripts = Mapping[str, Script]
_FILE = TypeAdapter(dict[str, Script])
_NOTHING_SCRIPTED = Script(steps=(Step(say="Nothing more is scripted for this."),))


def load_scripts(path: Path | None = None) -> Scripts:
    """Read a script file, or the built-in one.

    Raises:
        ScriptError: the file can't be read or is wrong.
    """
    path = path or BUILT_IN
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(str(path), f"can't be read ({error})") from error
    return parse_scripts(text, source=str(path))


def parse_scripts(text: str, *, source: str = "scripts") -> Scripts:
    """Read scripts from YAML; `source` is what errors call it.

    Raises:
        ScriptError: the text isn't YAML or says what isn't a script.
    """
    try:
        scripts = _FILE.validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ScriptError(source, f"isn't YAML ({' '.join(str(error).split())})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ScriptError(source, f"{where}: {first['msg']}") from error
    return {DEFAULT: _NOTHING_SCRIPTED, **scripts}
