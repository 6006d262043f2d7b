"""The seed document's routing rules, kept whole: what routes where no trained model can or will.

The seed states them five times over, and not quite alike. In the order they are asked here:
the two lists of "patterns", the `decideRouting` list, the pre-hook's list, the platform selection guide.
Both of the seed's programs send everything else to Codex: that is `ELSE`.
"""

import re
from dataclasses import dataclass

from router.labels import Platform

CLAUDE, CODEX, HYBRID = Platform.CLAUDE_CODE, Platform.CODEX, Platform.HYBRID


@dataclass(frozen=True)
class Rule:
    """A pattern of the seed and the platform it stands for."""

    source: str
    """The part of the seed it comes from."""
    name: str
    """The rule as the seed writes it."""
    pattern: re.Pattern[str]
    platform: Platform
    reason: str

    def matches(self, task: str) -> bool:
        """True where the rule speaks for this task."""
        return self.pattern.search(task) is not None


def _starts(words: str) -> re.Pattern[str]:
    # `*` in the seed's patterns stands for any text; a task may be polite before it says the verb.
    body = re.escape(words).replace(r"\ \*", r"\b.*").replace(r"\ ", r"\s+")
    return re.compile(rf"^\W*(?:please\s+|can you\s+|could you\s+|let's\s+)?{body}", re.IGNORECASE | re.DOTALL)


def _any_case(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_INTERACTIVE = "Requires interaction and reasoning"
_HEADLESS = "Can run in background, parallelizable"

PATTERNS: tuple[Rule, ...] = tuple(
    Rule("patterns", words, _starts(words), platform, reason)
    for platform, reason, lines in (
        (CLAUDE, _INTERACTIVE, ("explain *", "debug *", "design *", "review with me *", "help me understand *")),
        (CODEX, _HEADLESS, ("implement * in parallel", "generate * files", "write tests for *", "document *",
                            "batch process *")),
    )
    for words in lines
)  # fmt: skip

DECIDE_ROUTING: tuple[Rule, ...] = tuple(
    Rule("decideRouting", f"/{pattern}/i", _any_case(pattern), CLAUDE, _INTERACTIVE)
    for pattern in ("explain", "debug", "design", "review", "help.*understand")
)

PRE_HOOK: tuple[Rule, ...] = (
    Rule(
        "pre-hook",
        "(explain|debug|design|review|help|understand)",
        re.compile("(explain|debug|design|review|help|understand)"),  # grep -E: the case matters
        CLAUDE,
        "Routing to Claude Code (interactive)",
    ),
)

GUIDE: tuple[Rule, ...] = tuple(
    Rule("guide", row, _any_case(pattern), platform, reason)
    for row, pattern, platform, reason in (
        ("Design/Architecture", r"\b(architect\w*|strateg\w+|plan(ning)?)\b", CLAUDE, "Needs reasoning"),
        ("Debugging", r"\b(why|bugs?|crash\w*|fail(s|ing|ed|ure)?|error|exception|broken?|traceback)\b", CLAUDE,
         "Interactive analysis"),
        ("Code Review", r"\b(audit|critique|pull request|look over)\b", CLAUDE, "Discussion required"),
        ("Refactoring", r"\b(refactor\w*|restructur\w+)\b", HYBRID, "Design → Execute"),
        ("New Feature", r"\b(new|add|build|create)\b.*\bfeature\b|\bnew feature\b", HYBRID,
         "Design → Implement → Review"),
        ("Test Writing", r"\b(unit|integration|e2e)?\s*tests?\b|\bcoverage\b", CODEX, "Batch execution"),
        ("Documentation", r"\b(docs?|readme|docstrings?|changelog|documentation)\b", CODEX, "Independent work"),
        ("Implementation", r"\bimplement\w*\b", CODEX, "Can parallelize"),
    )
)  # fmt: skip

RULES: tuple[Rule, ...] = PATTERNS + DECIDE_ROUTING + PRE_HOOK + GUIDE
"""Every rule, in the order in which they are asked."""

ELSE = Rule("pre-hook", "else", re.compile(""), CODEX, "Routing to Codex (headless parallel)")
"""What both programs of the seed say of a task that no pattern matches."""


def match(task: str) -> Rule | None:
    """Return the first rule that speaks for `task`; None where the seed has no pattern for it."""
    return next((rule for rule in RULES if rule.matches(task)), None)


def pre_hook(task: str) -> Platform:
    """The seed's pre-hook, as it is: `grep -qE` over the task, else Codex."""
    return CLAUDE if PRE_HOOK[0].matches(task) else CODEX


def decide_routing(task: str) -> tuple[Platform, str]:
    """The seed's `decideRouting`, as it is: platform and reason."""
    hit = any(rule.matches(task) for rule in DECIDE_ROUTING)
    return (CLAUDE, _INTERACTIVE) if hit else (CODEX, _HEADLESS)
