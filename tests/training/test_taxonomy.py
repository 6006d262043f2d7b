"""Other labels than the shipped ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from router.choice.policy import SHIPPED as SHIPPED_POLICY
from router.choice.policy import Policy
from router.journal.journal import Journal
from router.labels import Source
from router.model.registry import Registry
from router.service import Router
from training.errors import DataError
from training.rows import read
from training.taxonomy import SHIPPED, Taxonomy

from .conftest import Typed, write_rows

WISHES = {
    "balance": ["what is my balance", "how much money do I have", "show my account balance", "how much is left"],
    "transfer": ["send money to Anna", "transfer 50 to savings", "pay my landlord", "move cash to checking"],
    "card": ["my card was stolen", "block my card", "I lost my credit card", "order a new card"],
    "other": ["tell me a joke", "what's the weather", "who won the match", "sing a song"],
}
ENDINGS = ["", " please", " today", ", now", " for me", " again", " asap", " thanks", " if you can", " quickly"]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    made = [
        {"text": f"{text}{ending}", "label": label}
        for label, texts in WISHES.items()
        for text in texts
        for ending in ENDINGS
    ]
    return write_rows(tmp_path / "bank.jsonl", made)


def labels_file(folder: Path, text: str) -> Path:
    path = folder / "labels.yaml"
    path.write_text(text)
    return path


def test_other_labels_are_trained_judged_promoted_and_served(typed: Typed, tmp_path: Path, rows: Path) -> None:
    labels = labels_file(tmp_path, "labels: [balance, transfer, card, other]\nout_of_scope: other\n")
    own = tmp_path / "own"
    code, out, err = typed("--data", str(rows), "--labels", str(labels), "--models-dir", str(own), "--json")
    assert code == 0, err
    body = json.loads(out)
    assert body["promoted"]
    assert body["scores"]["in_scope_accuracy"] > 0.8
    assert "out_of_scope_recall" in body["scores"]
    assert "type_interval_95" in body["scores"]
    report = Path(body["report"]).read_text()
    assert "in-scope accuracy" in report
    assert ">other<" in report

    router = Router(Registry(own), Journal("sqlite://"))
    decision = router.route("please block my stolen card")
    assert (decision.task_type, decision.platform, decision.source) == ("card", "claude-code", Source.MODEL)
    assert set(decision.task_types) == {"balance", "transfer", "card"}
    router.close()

    code, out, _ = typed("eval", "--data", str(rows), "--labels", str(labels), "--models-dir", str(own), "--json")
    assert (code, json.loads(out)["in_scope_accuracy"] > 0.9) == (0, True)


def test_a_model_of_other_labels_never_replaces_the_served_one_by_itself(
    typed: Typed, models: Registry, tmp_path: Path, rows: Path
) -> None:
    before = models.current()
    labels = labels_file(tmp_path, "[balance, transfer, card, other]")
    code, _, err = typed("--data", str(rows), "--labels", str(labels))
    assert code == 3
    assert "knows other labels" in err
    assert models.current() == before


def test_a_model_of_other_labels_is_compared_with_its_predecessor_on_the_same_golden_set(
    typed: Typed, tmp_path: Path, rows: Path
) -> None:
    labels = labels_file(tmp_path, "labels: [balance, transfer, card, other]\nout_of_scope: other\n")
    golden = tmp_path / "golden.jsonl"
    golden.write_text("".join(rows.read_text().splitlines(keepends=True)[::3]))
    own = ("--labels", str(labels), "--models-dir", str(tmp_path / "own"))
    for said in ("no model to compare it with", "type accuracy on"):
        code, out, err = typed("--data", str(rows), "--golden", str(golden), *own, "--json")
        assert code == 0, err
        assert said in json.loads(out)["reason"]


def test_platforms_of_own_labels_go_into_the_policy(typed: Typed, tmp_path: Path, rows: Path) -> None:
    labels = labels_file(
        tmp_path,
        "labels: [balance, transfer, card, other]\nout_of_scope: other\n"
        "platforms: {balance: codex, transfer: hybrid}\n",
    )
    own = tmp_path / "own"
    code, out, err = typed("--data", str(rows), "--labels", str(labels), "--models-dir", str(own), "--json")
    assert code == 0, err
    assert "platform_interval_95" in json.loads(out)["scores"]
    policy = Registry(own).load_current().policy
    assert policy.task_types["transfer"].platform == "hybrid"
    assert policy.task_types["debug"].platform == "claude-code"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labels: [a", "can't be read as YAML"),
        ("colours: [a, b]", "labels"),
        ("[a, a]", "named twice"),
        ("[a]", "two labels at least"),
        ("labels: [a, b]\nout_of_scope: b", "two labels at least"),
        ("labels: [a, b, none]", "`none` means no task"),
        ("labels: [a, b]\nplatforms: {c: codex}", "no label of the list"),
        ("labels: [a, b]\nplatforms: {a: moon}", "moon is no platform"),
    ],
)
def test_a_labels_file_that_makes_no_sense_is_refused(typed: Typed, tmp_path: Path, text: str, said: str) -> None:
    rows = write_rows(
        tmp_path / "r.jsonl", [{"text": f"t {'xyz'[n % 3] * n}", "task_type": "ab"[n % 2]} for n in range(60)]
    )
    code, _, err = typed("--data", str(rows), "--labels", str(labels_file(tmp_path, text)))
    assert code == 2
    assert said in err


def test_labels_need_rows_of_their_own_and_a_file_that_is_there(typed: Typed, tmp_path: Path) -> None:
    code, _, err = typed("--labels", str(labels_file(tmp_path, "[a, b]")))
    assert (code, "--data" in err) == (2, True)
    code, _, err = typed("--labels", str(tmp_path / "none.yaml"), "--data", "seed")
    assert (code, "can't be read" in err) == (2, True)


def test_of_many_labels_only_the_nearest_are_named(tmp_path: Path) -> None:
    taxonomy = Taxonomy(tuple(f"label_{n}" for n in range(150)), None)
    path = write_rows(tmp_path / "r.jsonl", [{"text": "x", "label": "label_1490"}])
    with pytest.raises(DataError, match=r"'label_1490' is no label; known are .*label_149, .*…") as caught:
        read([path], taxonomy)
    assert len(str(caught.value)) < 600


def test_what_is_judged_follows_the_policy() -> None:
    policy = Policy.open(SHIPPED_POLICY)
    assert SHIPPED.aim(policy) == "platform"
    assert Taxonomy(("a", "b"), None).aim(policy) == "type"
    assert Taxonomy.of(["a", "none"]).shown("none") == "none"
    assert Taxonomy(("a", "none"), "oos").shown("none") == "oos"


def test_a_hundred_and_fifty_classes_are_fitted_without_ado() -> None:
    from router.model.classifier import LinearClassifier

    random = np.random.default_rng(0)
    centres = random.normal(size=(150, 64))
    classes = np.arange(3000) % 150
    vectors = centres[classes] + 0.5 * random.normal(size=(3000, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    classifier = LinearClassifier().fit(vectors, np.eye(150)[classes], [f"c{n}" for n in range(150)])
    assert (classifier.predict_proba(vectors).argmax(axis=1) == classes).mean() > 0.95
