"""`train-router`, as typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from router.journal import Journal
from router.labels import Platform, Source
from router.registry import Registry
from router.schemas import Feedback
from router.service import Router
from training.cli import entry

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, models: Registry) -> Typed:
    """Runs `train-router` on the copied models; exit code, stdout and stderr."""
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(models.root))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["train-router", *words])
        with pytest.raises(SystemExit) as ended:
            entry()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_a_frozen_retrain_writes_judges_and_promotes_a_version(typed: Typed, models: Registry, data_file: Path) -> None:
    before = models.current()
    code, out, err = typed("--data", str(data_file), "--promote", "force")
    assert code == 0, err
    assert models.current() != before
    assert models.current() in out
    assert "platform accuracy" in out
    assert "held-out" in out
    manifest = models.load_current().manifest
    assert (manifest.parent, manifest.encoder) == (before, f"frozen from {before}")
    assert typed("rollback")[0] == 0
    assert models.current() == before
    assert typed("promote", manifest.version)[0] == 0
    assert models.current() == manifest.version


def test_the_same_data_and_seed_give_the_same_predictions(typed: Typed, models: Registry, data_file: Path) -> None:
    answers = []
    for _ in range(2):
        code, out, _ = typed("--data", str(data_file), "--promote", "never", "--json", "--journal", "none")
        assert code == 0
        model = Router(models, Journal("sqlite://")).registry.folder(json.loads(out)["version"])
        from router.artifact import load

        loaded = load(model)
        answers.append(loaded.classifier.predict_proba(loaded.encoder.encode("fix it")[None]).tolist())
    assert answers[0] == answers[1]


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
    assert "too little to learn from" in err
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
    assert "1 pieces of evidence" in err
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
    code, _, err = typed("--data", str(data_file), "--models-dir", str(empty))
    assert code == 4
    assert "--encoder finetune" in err
    assert list(empty.glob("*")) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"text": "x"}'], "rows.jsonl:1"),
        (['{"text": "a", "task_type": "test"}'] * 3, "too little"),
        ([json.dumps({"text": f"{n} {'abcdefgh'[n % 8]}", "task_type": "test"}) for n in range(60)], "1 classes"),
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
