"""`train-router`, as typed."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from router.journal.journal import Journal
from router.labels import Platform, Source, TaskType
from router.model.registry import Registry
from router.schemas import Feedback
from router.service import Router
from training.request import GOLDEN_FILE, SEED_FILES
from training.rows import digest, read

from .conftest import Typed, few_rows, write_rows


def test_a_frozen_retrain_writes_judges_and_promotes_a_version(typed: Typed, models: Registry, data_file: Path) -> None:
    before = models.current()
    code, out, err = typed("--data", str(data_file), "--promote", "force")
    assert code == 0, err
    assert models.current() != before
    assert str(models.current()) in out
    assert "platform accuracy" in out
    assert "held-out" in out
    manifest = models.load_current().manifest
    assert (manifest.parent, manifest.encoder) == (before, f"frozen from {before}")
    assert typed("rollback")[0] == 0
    assert models.current() == before
    assert typed("promote", manifest.version)[0] == 0
    assert models.current() == manifest.version


def test_the_same_data_and_seed_give_the_same_predictions(typed: Typed, data_file: Path) -> None:
    digests = []
    for _ in range(2):
        code, out, _ = typed("--data", str(data_file), "--promote", "never", "--json", "--journal", "none")
        assert code == 0
        digests.append(json.loads(out)["scores"]["predictions_digest"])
    assert digests[0] == digests[1]


def test_a_worse_candidate_is_kept_not_promoted_and_the_code_is_3(
    typed: Typed, models: Registry, tmp_path: Path, data_file: Path
) -> None:
    before = models.current()
    turned = {"debug": "batch", "batch": "debug", "explain": "implement", "implement": "explain"}
    rows = [json.loads(line) for line in data_file.read_text().splitlines()]
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text(
        "".join(json.dumps({**r, "task_type": turned.get(r["task_type"], r["task_type"])}) + "\n" for r in rows)
    )
    code, out, err = typed("--data", str(wrong), "--golden", str(data_file), "--journal", "none")
    assert code == 2
    assert "needed are 20 with 2" in err
    golden = tmp_path / "golden.jsonl"
    golden.write_text("".join(json.dumps(r) + "\n" for r in rows[::2]))
    code, out, err = typed("--data", str(wrong), "--golden", str(golden), "--journal", "none")
    assert code == 3
    assert "kept, not promoted" in err
    assert "kept, not promoted" in out
    assert models.current() == before
    assert len(models.versions()) == 2


def test_a_correction_in_the_journal_changes_the_route(
    typed: Typed, models: Registry, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    monkeypatch.setenv("ROUTER_DATABASE_URL", url)
    task = "convert all .js files in src to .ts"
    router = Router(models, Journal(url))
    first = router.route(task)
    assert first.platform == "codex"
    router.record_feedback(Feedback(decision_id=first.decision_id, platform=Platform.HYBRID))
    code, _, err = typed("--data", str(data_file), "--promote", "force")
    assert code == 0, err
    assert "1 piece of evidence" in err
    router.reload()
    again = router.route(task)
    assert (again.platform, again.source) == ("hybrid", Source.MODEL)
    router.close()


def test_eval_prints_every_score_the_contract_names(typed: Typed, data_file: Path) -> None:
    code, out, _ = typed("eval", "--data", str(data_file), "--json")
    assert code == 0
    assert set(json.loads(out)) >= {
        "n", "type_accuracy", "platform_accuracy", "platform_macro_f1", "ece", "accuracy_at_80_coverage", "source_mix",
    }  # fmt: skip
    assert "platform accuracy" in typed("eval", "--data", str(data_file))[1]


def test_list_marks_the_served_version(typed: Typed, models: Registry) -> None:
    assert typed("list")[1].startswith(f"* {models.current()}")
    (only,) = json.loads(typed("list", "--json")[1])
    assert (only["version"], only["served"]) == (models.current(), True)


def test_an_empty_models_folder_is_said_to_be_empty(
    typed: Typed, tmp_path: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    assert "no versions" in typed("list", "--models-dir", str(empty))[2]
    for words in (["eval", "--data", str(data_file)], ["rollback"], ["report"]):
        code, _, err = typed(*words, "--models-dir", str(empty))
        assert code == 4
        assert "train-router:" in err
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(empty))
    code, _, err = typed("--data", str(data_file))
    assert code == 4
    assert "--encoder finetune" in err
    assert list(empty.glob("*")) == []


def test_a_new_models_folder_borrows_the_encoder_that_is_served_elsewhere(
    typed: Typed, models: Registry, tmp_path: Path, data_file: Path
) -> None:
    code, out, err = typed("--data", str(data_file), "--journal", "none", "--models-dir", str(tmp_path / "own"))
    assert code == 0, err
    assert "there is no model to compare it with" in out
    made = Registry(tmp_path / "own").load_current().manifest
    assert (made.parent, made.encoder) == (None, f"frozen from {models.current()}")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"text": "x"}'], "rows.jsonl:1"),
        (['{"text": "a", "task_type": "test"}'] * 3, "3 rows, "),
        ([json.dumps({"text": "abcdefgh"[n % 8] * n, "task_type": "test"}) for n in range(1, 60)], "with 1 different"),
    ],
)
def test_data_that_can_t_be_learnt_from_leaves_the_served_model_untouched(
    typed: Typed, models: Registry, tmp_path: Path, lines: list[str], said: str
) -> None:
    before = models.current()
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    code, _, err = typed("--data", str(tmp_path / "rows.jsonl"))
    assert code == 2
    assert said in err
    assert models.current() == before
    assert sorted(path.name for path in models.root.iterdir()) == sorted([str(before), "current"])


def test_an_edited_golden_set_is_refused_unless_it_is_named(
    typed: Typed, models: Registry, data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    golden = write_rows(shipped / GOLDEN_FILE, few_rows(30)[5::6])
    for name in SEED_FILES:
        shutil.copyfile(data_file, shipped / name)
    monkeypatch.setattr("training.request.CHECKOUT_DATA", shipped)
    assert typed("--journal", "none", "--promote", "force", "--golden", str(golden))[0] == 0
    served = models.current()
    assert models.load_current().manifest.golden_digest == digest(read([golden]))
    write_rows(golden, few_rows(30)[4::6])
    code, _, err = typed("--data", "seed", "--journal", "none")
    assert (code, "has changed" in err, "--golden" in err) == (6, True, True)
    assert models.current() == served
    code, _, err = typed("--journal", "none", "--golden", str(golden), "--promote", "never")
    assert code == 0, err


def test_an_empty_journal_is_no_evidence_and_a_newer_one_is_left_alone(
    typed: Typed, models: Registry, data_file: Path, tmp_path: Path
) -> None:
    before = models.current()
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    code, _, err = typed("--data", str(data_file), "--journal", url, "--promote", "never")
    assert (code, "0 pieces of evidence" in err) == (0, True)
    with sqlite3.connect(tmp_path / "journal.db") as database:
        database.execute("UPDATE journal_schema SET version = 99")
    code, _, err = typed("--data", str(data_file), "--journal", url)
    assert (code, "schema 99" in err, "upgrade" in err) == (5, True, True)
    assert models.current() == before


def test_a_platform_that_the_policy_does_not_know_is_refused(typed: Typed, data_file: Path, tmp_path: Path) -> None:
    more = write_rows(tmp_path / "more.jsonl", [{"text": "to the moon", "platform": "moon"}])
    code, _, err = typed("--data", str(data_file), "--data", str(more), "--journal", "none")
    assert (code, "'moon' is no platform" in err) == (2, True)


def test_types_that_the_labels_do_not_have_teach_nothing(
    typed: Typed, models: Registry, data_file: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    router = Router(models, Journal(url))
    decision = router.route("brainstorm the onboarding")
    router.record_feedback(Feedback(decision_id=decision.decision_id, task_type=TaskType.DESIGN))
    router.close()
    rows = [row for row in few_rows() if row["task_type"] in {"debug", "test"}]
    labels = tmp_path / "labels.yaml"
    labels.write_text("labels: [debug, test]\nplatforms: {debug: claude-code, test: codex}\n")
    data = write_rows(tmp_path / "two.jsonl", rows)
    words = ["--data", str(data), "--labels", str(labels), "--models-dir", str(tmp_path / "own"), "--journal", url]
    code, _, err = typed(*words)
    assert code == 0, err
    assert "0 pieces of evidence" in err


@pytest.mark.parametrize("weight", ['"x"', "0", "-1", "1e9", "true", "NaN"])
def test_weights_that_are_none_are_refused(typed: Typed, tmp_path: Path, weight: str) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"text": "x", "task_type": "debug", "weight": {weight}}}\n')
    code, _, err = typed("--data", str(tmp_path / "rows.jsonl"))
    assert (code, 'rows.jsonl:1: "weight"' in err) == (2, True)
