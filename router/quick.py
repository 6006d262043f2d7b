"""The console script's first look: a plain `router route TASK` is answered by a running service, if there is one.

The command line proper (`router.cli`) takes three times as long to import as this takes to answer.
"""

import os
import sys

from router.ask import ask
from router.errors import InvalidTask

OWN_PLACE = frozenset({"ROUTER_MODELS_DIR", "ROUTER_DATABASE_URL"})
"""Variables that name other models or another journal than a running service may have: it is not asked then."""


def entry() -> None:
    """The console script."""
    words = sys.argv[1:]
    task = [word for word in words[1:] if word != "--json"]
    plain = words[:1] == ["route"] and task and not any(word.startswith("-") for word in task)
    if not (plain and _answered(" ".join(task), as_json="--json" in words)):
        from router.cli import entry as typed

        typed()


def _answered(task: str, *, as_json: bool) -> bool:
    if OWN_PLACE & set(os.environ):
        return False
    try:
        answer = ask(task, None, os.environ.get("ROUTER_TOKEN"))
    except InvalidTask:
        return False  # the command line proper says so
    if answer is None:
        return False
    if as_json:
        sys.stdout.write(answer + "\n")
        return True
    import json

    from rich.console import Console

    from router.display import show

    show(json.loads(answer), task, Console())
    return True
