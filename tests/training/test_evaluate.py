"""Scores and the gate."""

import numpy as np
import pytest

from router.choice.decision import Prediction
from router.choice.policy import SHIPPED, Policy
from training.evaluate import Judged, accuracy_at, calibration_error, interval, judge, macro_f1, scores
from training.gate import compare
from training.off_policy import OffPolicy
from training.rows import Row


@pytest.fixture
def policy() -> Policy:
    return Policy.open(SHIPPED)


def says(**types: float) -> Prediction:
    return Prediction({"debug": 0.0, "implement": 0.0, "feature": 0.0, **types}, types.pop("outside", 0.0))


def judged(policy: Policy, *pairs: tuple[Row, Prediction | None]) -> list[Judged]:
    answers = {row.text: prediction for row, prediction in pairs}
    return judge([row for row, _ in pairs], answers.__getitem__, policy)


def test_strict_defensible_and_type_scores_differ_as_described(policy: Policy) -> None:
    found = scores(
        judged(
            policy,
            (Row("a", "debug"), says(debug=0.9, implement=0.1)),
            (Row("b", "feature", also=("implement",)), says(implement=0.8, feature=0.2)),
            (Row("c", "implement"), says(debug=0.7, implement=0.3)),
            (Row("d", "explain"), says(debug=0.9, feature=0.1)),
        )
    )
    assert found["n"] == 4
    assert found["platform_accuracy"] == 0.5
    assert found["platform_defensible"] == 0.75
    assert found["type_accuracy"] == 0.25
    assert found["type_defensible"] == 0.5
    assert found["source_mix"] == {"model": 1.0}
    assert found["model_alone"] == {"platform_accuracy": 0.5}


def test_abstention_counts_for_the_router_and_not_for_the_model_alone(policy: Policy) -> None:
    careful = policy.model_copy(update={"confidence_floor": 0.8})
    found = scores(judged(careful, (Row("write tests for x", "debug"), says(debug=0.7, implement=0.3))))
    assert found["platform_accuracy"] == 0.0
    assert found["model_alone"]["platform_accuracy"] == 1.0
    assert found["source_mix"] == {"regex": 1.0}


def test_what_is_no_task_counts_in_recall_alone(policy: Policy) -> None:
    found = scores(
        judged(
            policy,
            (Row("a", "debug"), says(debug=1.0)),
            (Row("hi", "none"), Prediction({"debug": 1.0}, 0.9)),
            (Row("yo", "none"), Prediction({"debug": 1.0}, 0.1)),
        )
    )
    assert (found["n"], found["out_of_scope_recall"]) == (1, 0.5)


def test_rows_that_know_only_the_platform_count_for_the_platform(policy: Policy) -> None:
    found = scores(judged(policy, (Row("a", None, platform="claude-code"), says(debug=1.0))))
    assert found["platform_accuracy"] == 1.0
    assert np.isnan(found["type_accuracy"])


def test_without_a_model_the_rules_are_judged(policy: Policy) -> None:
    found = scores(judged(policy, (Row("debug it", "debug"), None)))
    assert (found["platform_accuracy"], found["source_mix"]) == (1.0, {"regex": 1.0})


def test_calibration_error_is_zero_for_honest_and_large_for_boastful_confidence() -> None:
    right = np.array([True, False] * 50)
    assert calibration_error(np.full(100, 0.5), right) == pytest.approx(0)
    assert calibration_error(np.full(100, 1.0), right) == pytest.approx(0.5)


def test_coverage_keeps_the_most_confident() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.1])
    assert accuracy_at(confidence, np.array([True, True, True, True, False]), 0.8) == 1.0


def test_macro_f1_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    truth, chosen = list("aabbcc"), list("abbbca")
    assert macro_f1(truth, chosen) == pytest.approx(f1_score(truth, chosen, average="macro"))


def test_the_interval_holds_the_accuracy_and_narrows_with_rows() -> None:
    few, many = interval(np.array([True, True, False] * 10)), interval(np.array([True, True, False] * 1000))
    assert few[0] < 2 / 3 < few[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert np.isnan(interval(np.array([], dtype=bool))[0])


def pair(policy: Policy, new_right: int, old_right: int, n: int = 200) -> tuple[list[Judged], list[Judged]]:
    def of(right: int) -> list[Judged]:
        return judged(
            policy, *((Row(f"t{i}", "debug"), says(debug=1.0) if i < right else says(implement=1.0)) for i in range(n))
        )

    return of(new_right), of(old_right)


@pytest.mark.parametrize(
    ("new", "old", "promoted"),
    [(180, 180, True), (190, 180, True), (179, 180, True), (176, 180, False), (90, 180, False)],
)
def test_a_candidate_is_promoted_only_if_it_is_not_worse(policy: Policy, new: int, old: int, *, promoted: bool) -> None:
    verdict = compare(*pair(policy, new, old))
    assert verdict.promote is promoted
    assert verdict.interval[0] <= verdict.difference <= verdict.interval[1]


def test_without_a_champion_the_first_model_is_promoted(policy: Policy) -> None:
    assert compare(pair(policy, 1, 1)[0], None).promote


def logged(low: float, high: float, effective: float) -> OffPolicy:
    return OffPolicy(100, 0.5, 0.8, effective, (low + high) / 2, (low, high))


@pytest.mark.parametrize(
    ("low", "high", "effective", "promoted"),
    [(-0.4, -0.2, 90.0, False), (-0.4, -0.2, 12.0, True), (-0.4, 0.1, 90.0, True), (0.1, 0.3, 90.0, True)],
)
def test_a_candidate_that_is_worse_on_what_really_happened_is_not_promoted(
    policy: Policy, low: float, high: float, effective: float, *, promoted: bool
) -> None:
    verdict = compare(*pair(policy, 180, 180), logged=logged(low, high, effective))
    assert verdict.promote is promoted
    assert "off-policy" in verdict.reason


def test_small_losses_do_not_add_up_from_version_to_version(policy: Policy) -> None:
    assert compare(*pair(policy, 179, 180), best=0.9).promote
    verdict = compare(*pair(policy, 179, 180), best=0.91)
    assert not verdict.promote
    assert "best of its line" in verdict.reason


def test_a_model_of_other_labels_is_judged_by_its_labels(policy: Policy) -> None:
    rows = [Row("a", "apple"), Row("b", "pear"), Row("c", "none"), Row("d", "apple")]
    fruit = {name: Prediction({"apple": p, "pear": 1 - p}, 0.0) for name, p in (("a", 0.9), ("b", 0.8))}
    answers = {**fruit, "c": Prediction({"apple": 1.0}, 0.9), "d": Prediction({"apple": 1.0}, 0.8)}
    found = scores(judge(rows, answers.__getitem__, policy), "type")
    assert (found["in_scope_accuracy"], found["out_of_scope_recall"]) == (pytest.approx(1 / 3, abs=1e-3), 1.0)
    assert found["type_accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    assert judge(rows[:1], lambda _: None, policy)[0].outcome("type") == (False, 0.0)
