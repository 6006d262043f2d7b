"""The router in process."""

import shutil
from pathlib import Path

import pytest

from router.errors import InvalidTask, JournalError
from router.journal.journal import Journal
from router.labels import Platform, Source, Status
from router.model.artifact import CLASSIFIER_FILE
from router.model.registry import CURRENT_FILE, Registry
from router.schemas import Feedback, Outcome
from router.service import Routed, Router, open_router
from router.settings import Settings

QUESTION = "why does the login test fail only in CI?"


def copy_of(shipped_models: Path, folder: Path) -> Registry:
    version = (shipped_models / CURRENT_FILE).read_text().strip()
    shutil.copytree(shipped_models / version, folder / version)
    (folder / CURRENT_FILE).write_text(version)
    return Registry(folder)


@pytest.mark.parametrize(
    ("task", "platform"),
    [
        (QUESTION, "claude-code"),
        ("explain how the retry queue works", "claude-code"),
        ("look over this pull request", "claude-code"),
        ("how should we structure the event bus?", "claude-code"),
        ("Implement GET /users endpoint", "codex"),
        ("write unit tests for parser.py", "codex"),
        ("convert all .js files to .ts", "codex"),
        ("write docstrings for the client module", "codex"),
        ("split the god class into services", "hybrid"),
        ("build a notifications system with email and push", "hybrid"),
    ],
)
def test_the_shipped_model_routes_the_label_guide_s_own_examples(router: Router, task: str, platform: str) -> None:
    decision = router.route(task)
    assert (decision.platform, decision.source) == (platform, Source.MODEL)


def test_small_talk_is_not_routed_by_the_model(router: Router) -> None:
    decision = router.route("good morning! how are you today?")
    assert decision.source is not Source.MODEL
    assert decision.needs_confirmation


def test_the_same_task_gets_the_same_answer(router: Router) -> None:
    first, second = router.route(QUESTION), router.route(QUESTION)
    assert first.probabilities == second.probabilities
    assert first.decision_id != second.decision_id


@pytest.mark.parametrize("task", ["", "  ", "x" * 40_000, "a\x00b", "\ud800"])
def test_what_is_no_task_is_refused_with_a_sentence(router: Router, task: str) -> None:
    with pytest.raises(InvalidTask) as caught:
        router.route(task)
    assert str(caught.value).startswith("the task ")


def test_a_long_paste_costs_a_window_not_its_length(router: Router) -> None:
    decision = router.route("ERROR at line 1: null pointer\n" * 1000 + "why does this happen?")
    assert decision.platform == "claude-code"


def test_decisions_outcomes_and_feedback_reach_the_journal(router: Router) -> None:
    decision = router.route(QUESTION, {"cwd": "/x"}, Platform.CODEX)
    router.record_outcome(
        Outcome(decision_id=decision.decision_id, run_id="r", platform="codex", status=Status.SUCCEEDED)
    )
    router.record_feedback(Feedback(decision_id=decision.decision_id, platform=Platform.CLAUDE_CODE))
    ((stored, outcomes, feedback),) = router.journal.history()
    assert (stored.task, stored.context, stored.decision) == (QUESTION, {"cwd": "/x"}, decision)
    assert (len(outcomes), len(feedback)) == (1, 1)


def test_a_missing_model_means_rules_and_a_mended_one_is_picked_up(shipped_models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    router = Router(Registry(folder), Journal(f"sqlite:///{tmp_path / 'j.db'}"))
    assert router.route(QUESTION).source is Source.REGEX
    assert router.problem is not None
    assert "holds no model" in router.problem
    copy_of(shipped_models, folder)
    router.reload()
    assert router.route(QUESTION).source is Source.MODEL
    assert router.problem is None


def test_a_damaged_model_means_rules_never_an_error(shipped_models: Path, tmp_path: Path) -> None:
    registry = copy_of(shipped_models, tmp_path / "models")
    version = registry.current()
    assert version is not None
    (registry.folder(version) / CLASSIFIER_FILE).write_bytes(b"damaged")
    decision = Router(registry, Journal(f"sqlite:///{tmp_path / 'j.db'}")).route(QUESTION)
    assert (decision.source, decision.platform) == (Source.REGEX, "claude-code")


def test_a_promoted_version_is_served_without_being_told(
    shipped_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.model.current.LOOK_AGAIN_S", 0.0)
    registry = copy_of(shipped_models, tmp_path / "models")
    router = Router(registry, Journal(f"sqlite:///{tmp_path / 'j.db'}"))
    first = router.route(QUESTION).model_version
    assert first is not None
    shutil.copytree(registry.folder(first), registry.root / "next")
    manifest = registry.root / "next" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(first, "next"))
    registry.promote("next")
    assert router.route(QUESTION).model_version == "next"


def test_decisions_wait_in_memory_while_the_journal_can_t_be_written(shipped_models: Path, tmp_path: Path) -> None:
    blocker = tmp_path / "data"
    blocker.write_text("a file where the folder should be")
    router = Router(Registry(shipped_models), Journal(f"sqlite:///{blocker / 'j.db'}"))
    first = router.route(QUESTION)
    with pytest.raises(JournalError):
        router.record_feedback(Feedback(decision_id=first.decision_id, verdict="bad"))
    assert router.counts["journal_errors"] >= 1
    assert router.counts["journal_pending"] == 1
    blocker.unlink()
    router.record_feedback(Feedback(decision_id=first.decision_id, verdict="bad"))
    assert [one.decision.decision_id for one in router.decisions()] == [first.decision_id]
    router.close()
    assert (router.counts["journal_lost"], router.counts["journal_written"]) == (0, 1)


def test_what_memory_can_t_hold_is_counted_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.service.KEPT_DECISIONS", 600)
    router = Router(Registry(tmp_path / "none"), Journal("sqlite:////proc/none/j.db"))
    for number in range(700):
        router.route(f"task {number}")
    assert router.counts["journal_lost"] == 100
    router.close()
    assert router.counts["journal_lost"] == 700


def test_an_outcome_right_after_its_decision_finds_it(router: Router) -> None:
    for number in range(20):
        decision = router.route(f"write tests for module {number}")
        router.record_outcome(
            Outcome(decision_id=decision.decision_id, run_id="r", platform="codex", status=Status.SUCCEEDED)
        )
    assert all(len(outcomes) == 1 for _, outcomes, _ in router.journal.history())


def test_a_file_damaged_under_way_means_rules_until_it_is_mended(
    shipped_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.model.current.LOOK_AGAIN_S", 0.0)
    registry = copy_of(shipped_models, tmp_path / "models")
    router = Router(registry, Journal(f"sqlite:///{tmp_path / 'j.db'}"))
    damaged = registry.folder(registry.current() or "") / CLASSIFIER_FILE
    whole = damaged.read_bytes()
    damaged.write_bytes(b"damaged")
    assert router.route(QUESTION).source is Source.REGEX
    assert "vouches" in str(router.problem)
    damaged.write_bytes(whole)
    assert router.route(QUESTION).source is Source.MODEL
    assert (router.counts["load_failures"], router.counts["degraded"]) == (1, 1)
    router.close()


def test_a_policy_that_is_wrong_means_rules_and_says_what_is_wrong(
    shipped_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.model.current.LOOK_AGAIN_S", 0.0)
    registry = copy_of(shipped_models, tmp_path / "models")
    router = Router(registry, Journal(f"sqlite:///{tmp_path / 'j.db'}"))
    (registry.folder(registry.current() or "") / "policy.yaml").write_text("default: nowhere")
    assert router.route(QUESTION).source is Source.REGEX
    assert "policy" in str(router.problem)
    router.close()


def test_a_task_seen_before_is_answered_from_memory_by_the_same_model(router: Router) -> None:
    seen: list[Routed] = []
    router.observers.append(seen.append)
    first, second = router.route(QUESTION), router.route(QUESTION)
    router.route("x " * 3000)
    router.route("x " * 3000)
    router.later.settle()
    assert [routed.cached for routed in seen] == [False, True, False, False]
    assert first.similar == second.similar
    router.reload()
    router.route(QUESTION)
    router.later.settle()
    assert seen[-1].cached is False


def test_settings_say_where_models_and_journal_lie(
    shipped_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(shipped_models))
    monkeypatch.setenv("ROUTER_DATABASE_URL", f"sqlite:///{tmp_path / 'own.db'}")
    router = open_router()
    router.route(QUESTION)
    router.close()
    assert (tmp_path / "own.db").is_file()
    assert open_router(Settings(models_dir=tmp_path)).model is None


def test_an_encoder_that_fails_means_rules_for_that_task(router: Router) -> None:
    assert router.model is not None
    router.model.encoder.tokenizer.tokenizer.add_tokens(["zzunknownzz"])
    assert router.route("explain zzunknownzz").source is Source.REGEX
    assert router.route("explain the cache").source is Source.MODEL
    assert router.counts["degraded"] == 1
