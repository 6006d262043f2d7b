"""What the journal teaches."""

from pathlib import Path

import pytest

from router.choice.decision import Prediction
from router.choice.policy import SHIPPED, Policy
from router.journal.journal import Journal
from router.labels import Platform, Status, TaskType
from router.model.registry import Registry
from router.schemas import Decision, Feedback, Outcome
from router.service import Router
from training.evidence import (
    CORRECTION_WEIGHT,
    FAILURE_WEIGHT,
    OVERRIDE_WEIGHT,
    SUCCESS_WEIGHT,
    Evidence,
    as_rows,
    collect,
    honesty,
)


@pytest.fixture
def router(tmp_path: Path) -> Router:
    """No model is needed to gather evidence."""
    return Router(Registry(tmp_path / "none"), Journal(f"sqlite:///{tmp_path / 'journal.db'}"))


def outcome(decision: Decision, status: Status, accepted: bool | None = None) -> Outcome:
    return Outcome(
        decision_id=decision.decision_id, run_id="r", platform=decision.platform, status=status, accepted=accepted
    )


def test_a_decision_nobody_said_anything_about_teaches_nothing(router: Router) -> None:
    decision = router.route("build it")
    router.record_outcome(outcome(decision, Status.SUCCEEDED))
    assert collect(router.journal) == []


def test_corrections_weigh_most_then_overrides_then_accepted_successes(router: Router) -> None:
    corrected = router.route("one")
    router.record_feedback(Feedback(decision_id=corrected.decision_id, platform=Platform.HYBRID))
    router.route("two", platform=Platform.CODEX)
    accepted = router.route("three")
    router.record_outcome(outcome(accepted, Status.SUCCEEDED, accepted=True))
    good = router.route("four")
    router.record_feedback(Feedback(decision_id=good.decision_id, verdict="good"))
    found = {one.task: one for one in collect(router.journal)}
    assert found["one"] == Evidence("one", CORRECTION_WEIGHT, platform="hybrid")
    assert found["two"] == Evidence("two", OVERRIDE_WEIGHT, platform="codex")
    assert found["three"] == Evidence("three", SUCCESS_WEIGHT, platform="codex")
    assert found["four"] == Evidence("four", SUCCESS_WEIGHT, platform="codex")
    assert CORRECTION_WEIGHT > OVERRIDE_WEIGHT > SUCCESS_WEIGHT >= FAILURE_WEIGHT


@pytest.mark.parametrize("status", [Status.FAILED, Status.REJECTED, Status.STALLED])
def test_a_failure_is_evidence_against_the_platform_and_no_label(router: Router, status: Status) -> None:
    router.record_outcome(outcome(router.route("build it"), status))
    assert collect(router.journal) == [Evidence("build it", FAILURE_WEIGHT, not_platform="codex")]


def test_what_the_user_ended_teaches_nothing_and_what_they_call_bad_does(router: Router) -> None:
    router.record_outcome(outcome(router.route("build it"), Status.CANCELLED))
    assert collect(router.journal) == []
    bad = router.route("build that")
    router.record_feedback(Feedback(decision_id=bad.decision_id, verdict="bad"))
    assert collect(router.journal) == [Evidence("build that", FAILURE_WEIGHT, not_platform="codex")]


def test_repeats_of_one_task_do_not_multiply_and_the_strongest_word_stays(router: Router) -> None:
    for number in range(3):
        decision = router.route(f"fix bug {number}")
        router.record_feedback(Feedback(decision_id=decision.decision_id, task_type=TaskType.DEBUG))
    router.route("fix bug 9", platform=Platform.CODEX)
    assert collect(router.journal) == [Evidence("fix bug 2", CORRECTION_WEIGHT, task_type="debug")]


def test_hashed_tasks_can_t_be_learnt_from(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path / 'hashed.db'}", store_tasks="hash")
    Router(Registry(tmp_path / "none"), journal).route("x", platform=Platform.CODEX)
    assert collect(journal) == []


def test_platform_evidence_is_spread_over_its_types_as_the_model_sees_them() -> None:
    policy = Policy.open(SHIPPED)
    types = {"debug": 0.5, "implement": 0.3, "test": 0.1, "feature": 0.1}

    def predict(_: str) -> Prediction:
        return Prediction(types, 0.0)

    toward, against, typed = as_rows(
        [
            Evidence("a", 5.0, platform="codex"),
            Evidence("b", 1.0, not_platform="claude-code"),
            Evidence("c", 9.0, platform="codex", task_type="batch"),
        ],
        predict,
        policy,
    )
    assert toward.distribution() == {"implement": pytest.approx(0.75), "test": pytest.approx(0.25)}
    assert against.distribution() == {
        "implement": pytest.approx(0.6), "test": pytest.approx(0.2), "feature": pytest.approx(0.2),
    }  # fmt: skip
    assert (typed.distribution(), typed.weight) == ({"batch": 1.0}, 9.0)


def test_without_a_model_evidence_is_spread_evenly() -> None:
    (row,) = as_rows([Evidence("a", 1.0, platform="hybrid")], lambda _: None, Policy.open(SHIPPED))
    assert row.distribution() == {"refactor": 0.5, "feature": 0.5}


def test_a_success_that_nobody_looked_at_is_no_label_and_an_override_that_failed_is_none_either(
    router: Router,
) -> None:
    router.record_outcome(outcome(router.route("one"), Status.SUCCEEDED))
    failed = router.route("two", platform=Platform.HYBRID)
    router.record_outcome(outcome(failed, Status.REJECTED, accepted=False))
    assert collect(router.journal) == [Evidence("two", FAILURE_WEIGHT, not_platform="hybrid")]


def test_a_run_on_another_platform_than_advised_counts_like_an_override_once_it_is_accepted(router: Router) -> None:
    decision = router.route("one")
    other = Outcome(
        decision_id=decision.decision_id, run_id="r", platform="hybrid", status=Status.SUCCEEDED, accepted=True
    )
    router.record_outcome(other)
    (found,) = collect(router.journal)
    assert found == Evidence("one", OVERRIDE_WEIGHT, platform="hybrid")
    assert (found.told, found.propensity) == (True, 1.0)
    assert found.decided_at is not None


@pytest.mark.parametrize(
    ("evidence", "least", "most"),
    [
        (Evidence("t", 6.0, platform="codex"), 0.97, 1.0),
        (Evidence("t", 6.0, task_type="test"), 0.97, 1.0),
        (Evidence("t", 6.0, platform="hybrid"), 0.3, 0.5),
        (Evidence("t", 1.0, not_platform="hybrid"), 0.98, 1.0),
        (Evidence("t", 1.0, not_platform="codex"), 0.4, 0.6),
        (Evidence("t", 6.0, platform="moon"), 0.0, 0.01),
    ],
)
def test_what_contradicts_the_rest_is_likelier_a_slip(evidence: Evidence, least: float, most: float) -> None:
    prediction = Prediction({"implement": 0.9, "design": 0.05, "feature": 0.05}, 0.0)
    assert least <= honesty(evidence, prediction, Policy.open(SHIPPED)) <= most
