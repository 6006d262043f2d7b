"""The words everything else is said in: task types, platforms, modes, and where a decision came from."""

from enum import StrEnum


class TaskType(StrEnum):
    """What a task asks for; the label guide is in `data/README.md`."""

    DESIGN = "design"
    DEBUG = "debug"
    REVIEW = "review"
    EXPLAIN = "explain"
    IMPLEMENT = "implement"
    TEST = "test"
    DOCUMENT = "document"
    BATCH = "batch"
    REFACTOR = "refactor"
    FEATURE = "feature"


class Platform(StrEnum):
    """Who should take a task."""

    CLAUDE_CODE = "claude-code"
    """An interactive session: a person sits with it."""
    CODEX = "codex"
    """Headless sessions, possibly many in parallel."""
    HYBRID = "hybrid"
    """Interactive design, then headless implementation, then interactive review."""


class Mode(StrEnum):
    """How a platform is run."""

    INTERACTIVE = "interactive"
    HEADLESS = "headless"
    HYBRID = "hybrid"


class Source(StrEnum):
    """What decided: the trained model, the seed's rules, the policy's default, or the user."""

    MODEL = "model"
    REGEX = "regex"
    DEFAULT = "default"
    OVERRIDE = "override"


class Status(StrEnum):
    """How a run or session ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    BUDGET_EXHAUSTED = "budget_exhausted"
    """Stopped before it used more than it was allowed."""
    RATE_LIMITED = "rate_limited"
    """The account's allowance was used up."""
    NEEDS_INPUT = "needs_input"
    """It ended with a question to the user."""
    CANCELLED = "cancelled"
    REJECTED = "rejected"


OUT_OF_SCOPE = "none"
"""The class of texts that are no routable task: replies, small talk, noise."""

MODES: dict[str, Mode] = {
    Platform.CLAUDE_CODE: Mode.INTERACTIVE,
    Platform.CODEX: Mode.HEADLESS,
    Platform.HYBRID: Mode.HYBRID,
}
"""The mode of each built-in platform."""
