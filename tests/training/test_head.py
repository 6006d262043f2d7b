"""Fitting the classifier: own words, bounded evidence, the penalty."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from router.choice.policy import SHIPPED, Policy
from router.model.artifact import Manifest
from router.model.registry import Registry
from training.evidence import Evidence
from training.habits import own_words
from training.head import (
    LARGEST_EVIDENCE_SHARE,
    PENALTIES,
    Head,
    bounded,
    fit,
    fittest_c,
    predictor,
    predictor_of,
)
from training.rows import LABELS, Row, digest, read
from training.vectors import TextVectors
from training.version import best_of_line

SHOP = (
    "the cart total is wrong",
    "rename the invoice helper",
    "write tests for the coupon code",
    "explain the refund job",
)


def test_words_that_only_this_user_says_count_by_themselves() -> None:
    others = [f"fix the {word} page" for word in ("login", "cart", "order", "user", "refund")] * 40
    mine = [f"zephyr: fix the {word} page" for word in ("login", "cart", "order", "user")] + ["once only"]
    assert own_words(mine, others).known == ("zephyr",)
    assert own_words([], others).known == ()


def test_evidence_never_outweighs_the_rows() -> None:
    rows = [Row(f"t{n}", "test") for n in range(100)]
    few, many = [Evidence("a", 6.0, platform="codex")], [Evidence(f"a{n}", 6.0, platform="codex") for n in range(50)]
    assert bounded(few, rows) == few
    assert sum(one.weight for one in bounded(many, rows)) == pytest.approx(LARGEST_EVIDENCE_SHARE * 100)
    assert bounded([], rows) == []


def test_a_habit_that_hangs_on_a_word_is_learnt_and_other_tasks_stay_where_they_were(
    shipped_models: Path, data_file: Path
) -> None:
    model = Registry(shipped_models).load_current()
    vectors, policy = TextVectors(model.encoder), Policy.open(SHIPPED)
    rows = read([data_file])
    evidence = [
        Evidence(f"zephyr: {text} ({'abcdefgh'[n]})", 6.0, platform="hybrid") for n in range(8) for text in SHOP
    ]
    plain = fit(rows, [], [], vectors, LABELS, policy)
    taught = fit(rows, [], evidence, vectors, LABELS, policy)
    assert "zephyr" in taught.classifier.words.known

    def platform(text: str, head: Head) -> str:
        says = predictor(vectors, head.classifier)
        return policy.least_cost(policy.platform_probabilities(says(text).task_types))

    unseen = ("the shipping label is empty", "add an index to the orders table", "write tests for the search box")
    assert {platform(f"zephyr: {text}", taught) for text in unseen} == {"hybrid"}
    assert [platform(text, taught) for text in unseen] == [platform(text, plain) for text in unseen]
    assert predictor_of(model)("fix it") is not None


def test_a_label_without_a_row_is_learnt_all_the_same(shipped_models: Path) -> None:
    vectors = TextVectors(Registry(shipped_models).load_current().encoder)
    rows = [Row(f"{text} {n}", "debug" if "wrong" in text else "document") for text in SHOP for n in range(9)]
    evidence = [Evidence(f"zephyr: {text} {n}", 6.0, task_type="batch", told=True) for text in SHOP for n in range(3)]
    found = fit(rows, [], evidence, vectors, ("debug", "document", "batch"), Policy.open(SHIPPED)).classifier
    assert found.classes_ == ("debug", "document", "batch")
    says = predictor(vectors, found)(f"zephyr: {SHOP[1]}")
    assert says is not None
    assert says.task_types["batch"] > 0.05


def test_more_labels_want_a_weaker_penalty(shipped_models: Path) -> None:
    vectors = TextVectors(Registry(shipped_models).load_current().encoder)
    topics = ["otter", "violin", "glacier", "pepper", "anchor", "comet", "walnut", "ladder"]
    rows = [Row(f"{topic} {word}", topic) for topic in topics for word in ("one", "two", "red", "blue", "old", "new")]
    found = fittest_c(rows, [Row(f"the {topic}", topic) for topic in topics], vectors, topics, 0)
    assert found == max(PENALTIES)
    assert fittest_c(rows, [], vectors, topics, 0) in PENALTIES
    assert np.isfinite(found)


def manifest(version: str, parent: str | None, score: float, golden: list[Row]) -> Manifest:
    return Manifest(
        version=version, created_at=datetime.now(UTC), parent=parent, labels=("a",), files={}, data_digest="",
        golden_digest=digest(golden), rows=1, seed=0, encoder="", scores={"platform_accuracy": score}, libraries={},
    )  # fmt: skip


def test_the_best_of_a_line_is_looked_for_among_its_ancestors_on_the_same_golden_set() -> None:
    golden, other = [Row("a", "debug")], [Row("b", "debug")]
    line = [
        manifest("v1", None, 0.99, other), manifest("v2", "v1", 0.92, golden), manifest("v3", "v2", 0.90, golden),
        manifest("elsewhere", None, 0.97, golden),
    ]  # fmt: skip
    assert best_of_line(line, "v3", golden) == 0.92
    assert best_of_line(line, None, golden) is None
    assert best_of_line(line, "v3", []) is None
    assert best_of_line([manifest("v1", "v1", 0.5, golden)], "v1", golden) == 0.5
