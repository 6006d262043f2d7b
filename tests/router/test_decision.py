"""The rule that turns a prediction into a platform."""

import pytest

from router.choice.decision import Prediction, choose
from router.choice.policy import SHIPPED, Policy
from router.labels import Mode, Platform, Source


def prediction(out_of_scope: float = 0.0, **types: float) -> Prediction:
    rest = (1 - sum(types.values())) / 10
    names = ("design", "debug", "review", "explain", "implement", "test", "document", "batch", "refactor", "feature")
    return Prediction({name: types.get(name, 0.0) + rest for name in names}, out_of_scope)


@pytest.fixture
def policy() -> Policy:
    return Policy.open(SHIPPED)


def test_a_sure_model_decides_and_says_type_and_reason(policy: Policy) -> None:
    choice = choose("x", prediction(debug=0.9), policy)
    assert (choice.platform, choice.mode, choice.source) == ("claude-code", Mode.INTERACTIVE, Source.MODEL)
    assert choice.task_type == "debug"
    assert choice.reason.startswith("debug (91%) → claude-code")
    assert "interactive analysis" in choice.reason
    assert not choice.needs_confirmation


def test_the_platform_is_the_sum_of_its_types_not_the_best_type_s(policy: Policy) -> None:
    choice = choose("x", prediction(feature=0.4, implement=0.3, batch=0.25), policy)
    assert choice.platform == "codex"
    assert choice.reason.startswith("implement")
    assert choice.task_type == "feature"


def test_an_unsure_model_asks_for_confirmation(policy: Policy) -> None:
    assert choose("x", prediction(feature=0.4, implement=0.35, debug=0.25), policy).needs_confirmation


def test_the_cost_matrix_changes_the_decision(policy: Policy) -> None:
    said = prediction(implement=0.6, debug=0.4)
    dear = policy.model_copy(update={"costs": {"claude-code": {"codex": 5.0}}})
    assert choose("x", said, policy).platform == "codex"
    choice = choose("x", said, dear)
    assert choice.platform == "claude-code"
    assert "costs least" in choice.reason


def test_below_the_floor_the_seed_s_rules_decide(policy: Policy) -> None:
    careful = policy.model_copy(update={"confidence_floor": 0.99})
    choice = choose("write tests for parser.py", prediction(debug=0.5), careful)
    assert (choice.platform, choice.source) == ("codex", Source.REGEX)
    assert "abstains" in choice.reason
    assert "write tests for" in choice.reason


def test_what_is_no_task_goes_to_the_default_and_needs_confirmation(policy: Policy) -> None:
    choice = choose("what's the weather", prediction(out_of_scope=0.9), policy)
    assert (choice.platform, choice.source, choice.needs_confirmation) == ("claude-code", Source.DEFAULT, True)


def test_without_a_model_the_seed_s_last_branch_decides_too(policy: Policy) -> None:
    choice = choose("what's the weather", None, policy)
    assert (choice.platform, choice.source, choice.needs_confirmation) == ("codex", Source.REGEX, True)
    assert choice.probabilities == {}


def test_the_user_s_word_always_wins_and_is_no_win_of_the_model(policy: Policy) -> None:
    choice = choose("x", prediction(debug=0.9), policy, Platform.HYBRID)
    assert (choice.platform, choice.source, choice.confidence) == ("hybrid", Source.OVERRIDE, 1.0)
    assert choice.probabilities["claude-code"] > 0.9


def test_a_prediction_keeps_what_is_no_task_apart_from_the_types() -> None:
    said = Prediction.of({"debug": 0.3, "batch": 0.1, "none": 0.6})
    assert said.task_types == {"debug": pytest.approx(0.75), "batch": pytest.approx(0.25)}
    assert said.out_of_scope == 0.6


def test_a_new_platform_is_a_row_in_the_policy() -> None:
    policy = Policy.parse(
        "task_types: {debug: {platform: human}}\nplatforms: {human: {mode: interactive}}\ndefault: human\n"
    )
    choice = choose("x", Prediction({"debug": 0.2, "other": 0.8}, 0.0), policy)
    assert choice.platform == "human"
    assert choice.reason.startswith("other")
