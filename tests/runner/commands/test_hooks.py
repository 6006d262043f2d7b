"""`runner hooks route`, as prompts and scripts written for claude-flow call it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

RunCli = Callable[..., Any]


@pytest.mark.parametrize(
    ("task", "first", "then"),
    [
        ("explain the cache", "claude-code (interactive)", "do it in this conversation"),
        ("write tests for the parser", "codex (headless)", "runner execute --platform codex TASK"),
        ("refactor the parser into modules", "hybrid (hybrid)", "--workflow hybrid_development --task TASK"),
    ],
)
def test_it_says_who_takes_a_task_and_what_to_do_next(cli: RunCli, task: str, first: str, then: str) -> None:
    done = cli("hooks", "route", "--task", task)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(first)
    assert "\n  why: " in done.stdout
    assert then in done.stdout
    told = json.loads(cli("hooks", "route", "--task", task, "--json").stdout)
    assert told["platform"] == first.split(maxsplit=1)[0]


def test_a_blank_task_is_refused(cli: RunCli) -> None:
    done = cli("hooks", "route", "--task", " ")
    assert done.returncode == 2
    assert "say in a sentence what should be done" in done.stderr
