"""What travels between the router and its callers: decisions, outcomes, feedback."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from router import samples
from router.labels import Mode, Platform, Source, Status, TaskType

MAX_TASK_BYTES = 32 * 1024
"""Longest task the router takes, in bytes of UTF-8."""
MAX_CONTEXT_BYTES = 16 * 1024
"""Largest context kept with a decision, in bytes of JSON."""
MAX_BATCH = 1000
"""Most tasks in one `POST /route/batch`."""


def check_task(task: str) -> str:
    """Return the task; raises `ValueError` that says why it is not taken."""
    if not task.strip():
        raise ValueError("the task is blank; say in a sentence what should be done")
    try:
        size = len(task.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError("the task is not valid text (lone surrogates); send UTF-8") from None
    if size > MAX_TASK_BYTES:
        raise ValueError(f"the task has {size} bytes, at most {MAX_TASK_BYTES} are taken; send the ask, not the log")
    if "\x00" in task:
        raise ValueError("the task holds NUL bytes; send text, not binary data")
    return task


def _check_context(context: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(json.dumps(context, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        raise ValueError("the context is not JSON in UTF-8 (NaN, or lone surrogates)") from None
    if size > MAX_CONTEXT_BYTES:
        raise ValueError(f"the context has {size} bytes, at most {MAX_CONTEXT_BYTES} are kept; send names, not content")
    return context


_TASK_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_TASK_BYTES,
                "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}  # fmt: skip
Task = Annotated[str, AfterValidator(check_task), WithJsonSchema(_TASK_SCHEMA)]
"""A task's text: not blank, at most `MAX_TASK_BYTES`, no NUL bytes."""
Context = Annotated[dict[str, Any], AfterValidator(_check_context)]
"""Where a task was typed (cwd, repo, branch, files…); any JSON object of at most `MAX_CONTEXT_BYTES`."""
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@/-]{1,128}$")]
"""An identifier: letters, digits and `._:@/-`, 128 at most."""
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{0,500}$")]
"""A short text of one line."""
Count = Annotated[int, Field(ge=0, le=2**53)]
"""A number of things; no larger than what every JSON reader takes exactly."""


class Message(BaseModel):
    """Base of everything on the wire: unknown fields are refused, values never change."""

    # Not built late: FastAPI, which finds a body of such a class unbuilt, warns and fails at its first request.
    model_config = ConfigDict(extra="forbid", frozen=True)


def _shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


def replied(example: dict[str, Any]) -> ConfigDict:
    """Configuration of an answer: its example; built at the first use, since a cold process needs few of them."""
    return ConfigDict(json_schema_extra={"examples": [example]}, defer_build=True)


class RouteRequest(Message):
    """One task to route."""

    model_config = _shown(samples.ROUTE)

    task: Task
    context: Context | None = None
    """Stored with the decision."""
    platform: Platform | None = None
    """The user's own choice; it always wins and is logged as an override."""


class BatchRequest(Message):
    """Many tasks to route, each decided on its own."""

    model_config = _shown(samples.BATCH_REQUEST)

    tasks: list[RouteRequest] = Field(min_length=1, max_length=MAX_BATCH)


class Choice(Message):
    """A task whose platform the user chose, decided by their word alone; the journal hears of it later."""

    decision_id: str
    task: Task
    context: Context | None
    platform: Platform


class Similar(Message):
    """A labelled example near the task."""

    text: str
    task_type: str
    similarity: float
    """Cosine similarity, -1 to 1."""


class Decision(Message):
    """The router's answer."""

    model_config = replied(samples.DECISION)

    decision_id: str
    platform: str
    mode: Mode
    workflow: str | None
    """Workflow that carries the decision out; None where a single session does."""
    task_type: str | None
    """Most probable task type; None where no model answered."""
    confidence: float = Field(ge=0, le=1)
    """Calibrated probability that `platform` is right."""
    probabilities: dict[str, float]
    """P(platform); sums to 1, empty where no model answered."""
    task_types: dict[str, float]
    """P(task type); sums to 1, empty where no model answered."""
    source: Source
    reason: str
    """One sentence that says why."""
    needs_confirmation: bool
    """True where a person should confirm before anything is launched."""
    similar: list[Similar]
    model_version: str | None
    latency_ms: float
    propensity: float = Field(default=1.0, ge=0, le=1)
    """Probability with which this platform was chosen for this task; 1 unless the router explores."""


class Outcome(Message):
    """What came of a run."""

    model_config = _shown(samples.OUTCOME)

    decision_id: Name
    run_id: Name
    platform: Name
    """The platform really used."""
    status: Status
    accepted: bool | None = None
    """The user's verdict; None where nobody gave one."""
    wall_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    turns: Count | None = None
    tokens: Count | None = None
    cost_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    diff_lines: Count | None = None
    """Lines added plus lines removed."""
    tests_passed: bool | None = None
    retries: Count = 0
    terminal_reason: Line | None = None


class Feedback(Message):
    """A person's correction of a decision."""

    model_config = _shown(samples.FEEDBACK)

    decision_id: Name
    verdict: Literal["good", "bad"] | None = None
    platform: Platform | None = None
    """The platform it should have been."""
    task_type: TaskType | None = None
    """The type it should have been."""


class Acknowledged(Message):
    """The journal holds what was sent."""

    model_config = replied(samples.ACKNOWLEDGED)

    stored: bool = True


class Batch(Message):
    """The decisions of a batch, in the order of its tasks."""

    model_config = replied(samples.BATCH)

    decisions: list[Decision]
