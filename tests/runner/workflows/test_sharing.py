"""The list in a design, how it is shared out, and what a review decided."""

from typing import Any

import pytest

from runner.workflows.design import tasks_of
from runner.workflows.model import Worker
from runner.workflows.roles import ROLES
from runner.workflows.shares import split
from runner.workflows.variables import fill, references
from runner.workflows.verdict import verdict_in

CREW = tuple(
    Worker(name=name, role=role)
    for name, role in (("coder-1", "coder"), ("coder-2", "coder"), ("tester", "tester"), ("docs", "docs"))
)


@pytest.mark.parametrize(
    ("design", "tasks"),
    [
        ("Tasks:\n- one\n- two", ["one", "two"]),
        ("Why:\n- because\n\n## Task list\n1. one\n2) two\n", ["one", "two"]),
        ("* [ ] one\n* [x] two", ["one", "two"]),
        ("- one\n  - a part of it\n  more\n- two", ["one\n  - a part of it\n  more", "two"]),
        ("```\n- code\n```\n- one", ["one"]),
        ("  - indented\n  - alike", ["indented", "alike"]),
        ("Just prose. 1.5 times - not a list.", []),
        ("Tasks: none, really.\n- one", ["one"]),
        ({"tasks": ["one", {"title": "two"}, ""]}, ["one", "two"]),
        ({"endpoints": ["GET /users"], "models": []}, ["GET /users"]),
        ({"models": ["User"]}, []),
        (["one", 2], ["one", "2"]),
        (None, []),
    ],
)
def test_the_list_of_a_design_is_found(design: Any, tasks: list[str]) -> None:
    assert tasks_of(design) == tasks


def test_parts_go_to_whom_they_name_are_for_or_who_implements() -> None:
    items = ["store", "view", "api", "Write tests", "coder-2: glue", "[tester] fuzz", "Document it"]
    assert split(items, CREW, ROLES) == {
        "coder-1": ("store", "view"),
        "coder-2": ("api", "coder-2: glue"),
        "tester": ("Write tests", "[tester] fuzz"),
        "docs": ("Document it",),
    }


def test_few_parts_go_to_the_first_and_the_rest_get_none() -> None:
    assert split(["one"], CREW[:2], ROLES) == {"coder-1": ("one",), "coder-2": ()}


def test_without_implementers_everybody_takes_part() -> None:
    assert split(["a", "b"], CREW[2:], ROLES) == {"tester": ("a",), "docs": ("b",)}
    assert split(["Write tests"], CREW[:1], ROLES) == {"coder-1": ("Write tests",)}
    assert split(["Note: this"], CREW[:1], ROLES) == {"coder-1": ("Note: this",)}


@pytest.mark.parametrize(
    ("said", "verdict", "notes"),
    [
        ("Fine.\nVerdict: accept", "accept", "Fine."),
        ("**Verdict: Rework**\n", "rework", ""),
        ("verdict: accept\nNo:\nVERDICT - rejected.", "reject", "No:"),
        ("My verdict: accept is not given yet", None, "My verdict: accept is not given yet"),
        ({"verdict": "rework", "notes": "a lid"}, "rework", "a lid"),
        ({"verdict": "perhaps"}, None, ""),
    ],
)
def test_the_last_verdict_counts(said: Any, verdict: str | None, notes: str) -> None:
    assert verdict_in(said) == (verdict, notes)


def test_variables_come_in_once() -> None:
    text = "{{ task }} {{memory:shared/design/{{slug}}}}"
    assert list(references(text)) == ["task", "slug", "memory:shared/design/{{slug}}"]
    values = {"task": "{{slug}}", "slug": "s"}
    assert fill(text, values, lambda namespace, key: f"<{namespace}|{key}>") == "{{slug}} <shared|design/s>"
