"""Judging a candidate on what was logged."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from router.choice.policy import SHIPPED, Policy
from training.evidence import CORRECTION_WEIGHT, FAILURE_WEIGHT, SUCCESS_WEIGHT, Evidence
from training.off_policy import LARGEST_WEIGHT, estimate, since, too_few

POLICY = Policy.open(SHIPPED)
NAMES = ("claude-code", "codex", "hybrid")


def success(platform: str, propensity: float = 1.0) -> Evidence:
    return Evidence("t", SUCCESS_WEIGHT, platform=platform, propensity=propensity)


def failure(platform: str, propensity: float = 1.0) -> Evidence:
    return Evidence("t", FAILURE_WEIGHT, not_platform=platform, propensity=propensity)


def told(platform: str) -> Evidence:
    return Evidence("t", CORRECTION_WEIGHT, platform=platform, told=True)


def test_the_estimate_is_right_for_a_policy_whose_worth_is_known() -> None:
    """Classification turned into a bandit: the truth is known, the log shows one platform's worth only."""
    random = np.random.default_rng(0)
    truth = random.choice(NAMES, 6000)
    propensities = {"claude-code": 0.6, "codex": 0.3, "hybrid": 0.1}
    used = random.choice(NAMES, 6000, p=list(propensities.values()))
    trials = [
        (success if platform == right else failure)(platform, propensities[platform])
        for platform, right in zip(used, truth, strict=True)
    ]
    good = [right if random.random() < 0.8 else "codex" for right in truth]
    always = ["codex"] * 6000
    found = estimate(trials, good, always, POLICY)
    assert found.candidate == pytest.approx(np.mean(np.array(good) == truth), abs=0.03)
    assert found.champion == pytest.approx(np.mean(np.array(always) == truth), abs=0.03)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.interval[0] > 0.3
    assert found.enough
    assert not found.worse
    assert estimate(trials, always, good, POLICY).worse


def test_what_the_user_named_judges_every_choice() -> None:
    trials = [told("hybrid")] * 60 + [Evidence("t", CORRECTION_WEIGHT, task_type="debug", told=True)] * 40
    right = ["hybrid"] * 60 + ["claude-code"] * 40
    found = estimate(trials, right, ["codex"] * 100, POLICY)
    assert (found.candidate, found.champion, found.effective) == (1.0, 0.0, 100.0)
    assert "off-policy +100.0%" in str(found)
    assert found.scores()["enough"] is True


def test_trials_on_which_a_policy_differs_say_nothing_of_it() -> None:
    trials = [success("codex")] * 50 + [failure("claude-code")] * 50
    found = estimate(trials, ["codex"] * 100, ["claude-code"] * 100, POLICY)
    assert (found.candidate, found.champion, found.effective) == (1.0, 0.0, 50.0)


def test_little_evidence_gives_no_verdict() -> None:
    found = estimate([told("codex")] * 20, ["hybrid"] * 20, ["codex"] * 20, POLICY)
    assert found.interval[1] < 0
    assert not found.worse
    assert "no verdict" in str(found)
    assert estimate([], [], [], POLICY).trials == 0
    assert too_few(3).scores()["candidate"] is None


def test_a_policy_that_agrees_with_no_trial_has_no_value() -> None:
    found = estimate([success("codex")] * 50, ["hybrid"] * 50, ["codex"] * 50, POLICY)
    assert np.isnan(found.candidate)
    assert not found.worse


def test_one_rare_exploration_does_not_outvote_the_rest() -> None:
    trials = [success("codex")] * 99 + [failure("codex", propensity=1e-6)]
    found = estimate(trials, ["codex"] * 100, ["codex"] * 100, POLICY)
    assert found.candidate == pytest.approx(99 / (99 + LARGEST_WEIGHT))
    assert found.effective < 30


def test_only_what_was_decided_since_the_model_was_made_judges_it() -> None:
    now = datetime.now(UTC)
    old, new = (Evidence("t", 2.0, platform="codex", decided_at=now + timedelta(hours=h)) for h in (-1, 1))
    assert since([old, new, Evidence("t", 2.0, platform="codex")], now) == [new]
