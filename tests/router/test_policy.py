"""The policy file."""

from pathlib import Path

import pytest

from router.choice.policy import SHIPPED, Policy
from router.errors import PolicyError
from router.labels import TaskType

SMALL = """
task_types:
  debug: {platform: here}
  batch: {platform: there, workflow: own}
platforms:
  here: {mode: interactive}
  there: {mode: headless, workflow: theirs}
costs: {here: {there: 5}}
default: here
"""


def test_the_shipped_policy_knows_every_task_type() -> None:
    assert set(Policy.open(SHIPPED).task_types) == set(TaskType)


def test_platform_probabilities_sum_over_types_and_unknown_types_count_for_the_default() -> None:
    policy = Policy.parse(SMALL)
    assert policy.platform_probabilities({"debug": 0.5, "batch": 0.3, "new": 0.2}) == {"here": 0.7, "there": 0.3}


def test_a_costly_mistake_is_avoided_although_it_is_less_probable() -> None:
    policy = Policy.parse(SMALL)
    assert policy.least_cost({"here": 0.3, "there": 0.7}) == "here"
    assert policy.least_cost({"here": 0.1, "there": 0.9}) == "there"
    assert policy.expected_cost("there", {"here": 0.3, "there": 0.7}) == pytest.approx(1.5)


def test_a_type_s_own_workflow_beats_its_platform_s_where_that_platform_was_chosen() -> None:
    policy = Policy.parse(SMALL)
    assert policy.workflow("there", "batch") == "own"
    assert policy.workflow("there", "debug") == "theirs"
    assert policy.workflow("here", None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("just text", "the file"),
        (SMALL + "confidence_floor: 2\n", "confidence_floor"),
        (SMALL + "unknown_key: 2\n", "unknown_key"),
        (SMALL.replace("default: here", "default: nowhere"), "nowhere is no row of `platforms`"),
        (SMALL.replace("there: 5", "moon: 5"), "moon is no row of `platforms`"),
    ],
)
def test_a_wrong_policy_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.parse(text)
    assert said in str(caught.value)


def test_tags_that_build_objects_are_refused() -> None:
    with pytest.raises(PolicyError):
        Policy.parse("!!python/object/apply:os.system ['true']")


def test_a_policy_that_can_t_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="can't be read"):
        Policy.open(tmp_path / "none.yaml")
