"""Roles that workers may have, and what each is told that it does."""

import re
from collections.abc import Mapping

ROLES: Mapping[str, str] = {
    "analyst": "You examine the code and the data it works on, and write down what you find.",
    "architect": "You decide how the parts fit together and write it down where the others find it.",
    "coder": "You implement, with the tests that belong to your change.",
    "coordinator": "You see to it that the parts of the work fit together.",
    "debugger": "You find the cause of what goes wrong and remove it.",
    "designer": "You decide how the parts look and are used, and write it down.",
    "devops": "You see to builds, pipelines, packaging and deployment.",
    "docs": "You write documentation for those who use what is built.",
    "optimizer": "You measure, and make what is slow or large faster or smaller.",
    "planner": "You split the work into parts that can be done at the same time.",
    "refactorer": "You improve the structure of the code and leave what it does as it is.",
    "researcher": "You find out what is known, and write down what matters for the work.",
    "reviewer": "You read what is there with a critical eye, and correct what is plainly wrong.",
    "security": "You look for what an attacker could use, and close it.",
    "tester": "You write tests for what the design describes, and run them.",
}
ALIASES: Mapping[str, str] = {
    "developer": "coder", "implementer": "coder", "programmer": "coder", "worker": "coder", "backend": "coder",
    "frontend": "coder", "documenter": "docs", "documentation": "docs", "writer": "docs", "qa": "tester",
    "test": "tester", "refactor": "refactorer", "optimiser": "optimizer",
}  # fmt: skip
"""Other words for the same; a worker keeps the word as its name."""
IMPLEMENTING = ("coder", "refactorer", "debugger", "optimizer", "devops", "security")
"""Roles that take the parts of a design which are for nobody in particular."""
_NUMBERED = re.compile(r"^(.+?)[-_]?(\d+)$")
_HINTS = (
    ("tester", re.compile(r"\b(unit[- ]?|integration[- ]?)?tests?\b|\btesting\b|\bcoverage\b", re.IGNORECASE)),
    ("docs", re.compile(r"\bdocument(s|ation|ing)?\b|\bdocs?\b|\bread\s?me\b|\bchangelog\b", re.IGNORECASE)),
)


def role_of(name: str, known: Mapping[str, str]) -> str | None:
    """The role that a worker's name says, numbered or not: `coder-1` is a coder. None where there is no such."""
    numbered = _NUMBERED.match(name)
    for word in filter(None, (name, numbered and numbered[1])):
        for role in (str(word), ALIASES.get(word.lower(), word.lower())):
            if role in known:
                return role
    return None


def role_for(item: str) -> str | None:
    """The role that a part of a design is plainly for; None: whoever implements."""
    return next((role for role, hint in _HINTS if hint.search(item)), None)
