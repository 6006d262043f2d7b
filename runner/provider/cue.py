"""Which step of which script is due: worked out from the request alone, so that retries and resumes work."""

import re
from dataclasses import dataclass
from typing import Any

from runner.provider.conversation import Conversation
from runner.provider.script import DEFAULT, Failure, Script, Scripts, Step

_MARKER = re.compile(r"\[\[script:([\w.-]+)\]\]")
_BLANK = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Cue:
    """The step to play now, its blanks filled; `index` counts from 0."""

    script: str
    index: int
    step: Step


def find_cue(scripts: Scripts, conversation: Conversation) -> Cue:
    """Find what the conversation asks for: the newest prompt that a script is for decides."""
    name, caught, answers = DEFAULT, dict[str, str](), 0
    for turn in reversed(conversation.turns):
        if turn.who == "model":
            answers += 1
        elif turn.who == "user" and (found := _find_script(scripts, turn.text)):
            name, caught = found
            break
    if name not in scripts:
        return Cue(name, 0, Step(error=Failure(status=400, message=f"no script is called {name}")))
    blanks = scripts[name].blanks | caught | {"cwd": conversation.cwd, "result": conversation.result}
    name, index = _place(name, scripts[name], answers)
    step = _filled(scripts[name].steps[index], blanks)
    return Cue(name, index, Step(say=step.say or name) if conversation.is_side_call else step)


def _find_script(scripts: Scripts, prompt: str) -> tuple[str, dict[str, str]] | None:
    """Return the script that a prompt names or is a task for, and what the task's groups caught."""
    if marker := _MARKER.search(prompt):
        return marker[1], {}
    for name, script in scripts.items():
        if found := script.task and script.task.search(prompt):
            return name, {group: caught for group, caught in found.groupdict().items() if caught}
    return None


def _place(name: str, script: Script, answers: int) -> tuple[str, int]:
    if answers < len(script.steps):
        return name, answers
    return (name, answers % len(script.steps)) if script.repeat else (DEFAULT, 0)


def _filled(step: Step, blanks: dict[str, str]) -> Step:
    def fill(value: Any) -> Any:
        match value:
            case str():
                return _BLANK.sub(lambda blank: blanks.get(blank[1], blank[0]), value)
            case dict():
                return {key: fill(part) for key, part in value.items()}
            case list():
                return [fill(part) for part in value]
        return value

    return Step.model_validate(fill(step.model_dump(exclude_none=True)))
