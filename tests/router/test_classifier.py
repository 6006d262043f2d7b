"""The calibrated linear classifier."""

import numpy as np
import pytest
from numpy.typing import NDArray

from router.model.classifier import LinearClassifier
from router.model.scorer import Scorer
from router.model.words import SEEN_CHARACTERS, Words, words_in


def clouds(seed: int, spread: float = 0.3, n: int = 60) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Three clouds of points and their one-hot targets."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    vectors = np.eye(3)[labels] + random.normal(0, spread, (n, 3))
    return vectors.astype(np.float32), np.eye(3)[labels]


def test_it_learns_separable_classes_and_rows_sum_to_one() -> None:
    vectors, targets = clouds(0)
    fitted = LinearClassifier().fit(vectors, targets, ("a", "b", "c"))
    probabilities = fitted.predict_proba(vectors)
    assert fitted.classes_ == ("a", "b", "c")
    assert probabilities.shape == (60, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities.argmax(1) == targets.argmax(1)).mean() > 0.9


def test_it_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    vectors, targets = clouds(1)
    ours = LinearClassifier(c=1.0).fit(vectors, targets, ("a", "b", "c")).predict_proba(vectors)
    theirs = LogisticRegression(C=1.0, max_iter=400, tol=1e-6).fit(vectors, targets.argmax(1)).predict_proba(vectors)
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_two_classes_agree_with_scikit_learn_as_well() -> None:
    from sklearn.linear_model import LogisticRegression

    vectors, targets = clouds(1)
    two = targets[:, 2] == 0
    ours = LinearClassifier(c=1.0).fit(vectors[two], targets[two], ("a", "b", "never")).predict_proba(vectors[two])
    theirs = LogisticRegression(C=1.0, tol=1e-6).fit(vectors[two], targets[two].argmax(1)).predict_proba(vectors[two])
    assert ours[:, :2] == pytest.approx(theirs, abs=1e-4)
    assert ours[:, 2].max() < 1e-6


def test_soft_labels_and_weights_move_the_answer() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]] * 20, dtype=np.float32)
    soft = np.array([[0.7, 0.3], [0.0, 1.0]] * 20)
    learnt = LinearClassifier(c=100.0).fit(vectors, soft, ("a", "b"))
    assert learnt.predict_proba(vectors[:1])[0, 0] == pytest.approx(0.7, abs=0.05)
    hard = np.tile(np.array([[1.0, 0.0], [0.0, 1.0]]), (20, 1))
    heavy = LinearClassifier(c=0.1).fit(vectors, hard, ("a", "b"), np.array([1.0, 50.0] * 20))
    assert heavy.predict_proba(np.array([[0.5, 0.5]], dtype=np.float32))[0, 1] > 0.6


def test_calibration_on_noisy_rows_makes_an_overconfident_classifier_less_sure() -> None:
    vectors, targets = clouds(2, spread=0.05)
    fitted = LinearClassifier(c=1000.0).fit(vectors, targets, ("a", "b", "c"))
    sure = fitted.predict_proba(vectors).max(1).mean()
    noisy, truth = clouds(3, spread=0.8, n=300)
    fitted.calibrate(noisy, truth)
    assert fitted.temperature > 1
    assert fitted.predict_proba(vectors).max(1).mean() < sure


def test_words_of_the_users_decide_where_the_vector_says_nothing() -> None:
    words = Words(("payments", "storybook"))
    texts = ["payments: fix it", "Storybook fix it"] * 20
    vectors = np.ones((40, 2), dtype=np.float32)
    hard = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)
    classifier = LinearClassifier(words=words)
    classifier.fit(np.hstack([vectors, classifier.words.features(texts)]), hard, ("a", "b"))
    assert classifier.predict_proba(vectors[:2], texts[:2]).argmax(1).tolist() == [0, 1]
    assert classifier.predict_proba(vectors[:1])[0, 0] == pytest.approx(0.5, abs=0.1)
    assert classifier.predict_proba(vectors[:1], ["something else"])[0, 0] == pytest.approx(0.5, abs=0.1)


def test_a_classifier_that_gets_to_know_other_words_keeps_what_it_learnt() -> None:
    classifier = LinearClassifier(words=Words(("old", "both")))
    texts = ["old both", "neither"] * 20
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]] * 20, dtype=np.float32)
    classifier.fit(np.hstack([vectors, classifier.words.features(texts)]), vectors.astype(float), ("a", "b"))
    other = classifier.knowing(Words(("new", "both")))
    assert other.predict_proba(vectors) == pytest.approx(classifier.predict_proba(vectors))
    assert other.predict_proba(vectors, ["both"] * 40) == pytest.approx(
        classifier.predict_proba(vectors, ["both"] * 40)
    )
    assert other.predict_proba(vectors, ["new old"] * 40) == pytest.approx(classifier.predict_proba(vectors))


def test_words_are_found_whatever_their_case_and_in_long_texts_only_at_the_ends() -> None:
    assert words_in("Fix the API, e.g. user_name x") == {"fix", "the", "api", "user_name"}
    long = "head " + "x" * 2 * SEEN_CHARACTERS + " middle " + "y" * 2 * SEEN_CHARACTERS + " tail"
    assert {"head", "tail"} <= words_in(long)
    assert "middle" not in words_in(long)


@pytest.mark.parametrize("known", [(), ("payments", "storybook", "never")])
def test_what_is_served_is_what_was_fitted(known: tuple[str, ...]) -> None:
    vectors, targets = clouds(4, spread=0.8)
    texts = [("payments: fix it", "Storybook, and payments", "neither")[row % 3] for row in range(len(vectors))]
    classifier = LinearClassifier(words=Words(known))
    classifier.fit(np.hstack([vectors, classifier.words.features(texts)]), targets, ("a", "b", "c"))
    classifier.temperature = 1.7
    scorer = Scorer(classifier)
    served = np.array([scorer.probabilities(vector, text) for vector, text in zip(vectors, texts, strict=True)])
    assert served == pytest.approx(classifier.predict_proba(vectors, texts), abs=1e-5)
