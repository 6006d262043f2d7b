"""What the wire refuses."""

from typing import Any

import pytest
from pydantic import ValidationError

from router.schemas import MAX_CONTEXT_BYTES, MAX_TASK_BYTES, Outcome, RouteRequest


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("", "blank"),
        (" \n\t", "blank"),
        ("x" * (MAX_TASK_BYTES + 1), "at most 32768"),
        ("ü" * MAX_TASK_BYTES, "at most 32768"),
        ("a\x00b", "NUL"),
        ("bad \ud800", "surrogates"),
    ],
)
def test_a_task_that_is_no_task_is_refused_with_a_sentence(task: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RouteRequest(task=task)


@pytest.mark.parametrize("task", ["--dangerously-skip-permissions", "-x", "x" * MAX_TASK_BYTES, "日本語で直して"])
def test_whatever_a_person_may_type_is_a_task(task: str) -> None:
    assert RouteRequest(task=task).task == task


@pytest.mark.parametrize(
    "context", [{"a": float("nan")}, {"a": "x" * MAX_CONTEXT_BYTES}, {"a": "\ud800"}], ids=["nan", "large", "surrogate"]
)
def test_a_context_that_can_t_be_stored_is_refused(context: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="the context"):
        RouteRequest(task="x", context=context)


def test_unknown_fields_and_odd_identifiers_are_refused() -> None:
    with pytest.raises(ValidationError):
        RouteRequest.model_validate({"task": "x", "taks": "y"})
    with pytest.raises(ValidationError):
        Outcome.model_validate({"decision_id": "a b", "run_id": "r", "platform": "codex", "status": "succeeded"})
    with pytest.raises(ValidationError):
        Outcome.model_validate({"decision_id": "a", "run_id": "r", "platform": "codex", "status": "fine"})
