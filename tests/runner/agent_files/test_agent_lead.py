"""An agent file decides who takes what, by the shipped model's word on what a task is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.labels import Platform
from router.schemas import Decision, Feedback, Outcome
from router.service import Router, open_router
from router.settings import Settings as RouterSettings
from runner.agent_files.agent_file import AgentFile
from runner.agent_files.agent_lead import AgentLead, chosen
from runner.errors import BadInput
from runner.settings import Settings

SEED_MODES = """
modes:
  interactive:
    platform: claude-code
    use_for: [complex-reasoning, architecture-decisions, debugging, real-time-review]
  headless:
    platform: codex
    use_for: [parallel-execution, batch-processing, code-generation, documentation, testing]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    """The router with the shipped model."""
    opened = open_router(RouterSettings(database_url=f"sqlite:///{tmp_path_factory.mktemp('journal') / 'router.db'}"))
    yield opened
    opened.close()


def lead(tmp_path: Path, settings: Settings, front: str) -> AgentLead:
    path = tmp_path / "agent.md"
    path.write_text(f"---\nname: mine\n{front}\n---\n")
    return AgentLead.open(path, settings, yes=True)


def decision(platform: str, task_type: str | None, **shares: float) -> Decision:
    """One as the router gives it."""
    return Decision(
        decision_id="d1", platform=platform, mode="hybrid", workflow="hybrid_development", task_type=task_type,  # type: ignore[arg-type]
        confidence=0.9, probabilities={name.replace("_", "-"): share for name, share in shares.items()}, task_types={},
        source="model", reason="", needs_confirmation=False, similar=[], model_version=None, latency_ms=1,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_modes_of_a_file_overrule_the_router_for_the_work_that_they_name(
    tmp_path: Path, settings: Settings, model: Router
) -> None:
    task = "write unit tests for the date parser"
    assert lead(tmp_path, settings, SEED_MODES).routing(model).route(task).platform == "codex"
    swapped = SEED_MODES.replace("debugging", "testing").replace(", testing]\n", "]\n")
    led = lead(tmp_path, settings, swapped).routing(model)
    assert led.route(task).platform == "claude-code"
    assert led.route(task, platform=Platform.CODEX).platform == "codex"  # the user's own word counts most


@pytest.mark.parametrize(
    ("capabilities", "platform", "goes_to"),
    [
        ((), "hybrid", "hybrid"),
        (("hybrid_orchestration",), "hybrid", "hybrid"),
        (("interactive_reasoning", "parallel_execution"), "hybrid", "codex"),
        (("interactive_reasoning",), "hybrid", "claude-code"),
        (("parallel_execution",), "claude-code", "codex"),
        (("something_else",), "hybrid", "hybrid"),
    ],
)
def test_a_platform_without_its_capability_takes_nothing(
    capabilities: tuple[str, ...], platform: str, goes_to: str
) -> None:
    file = AgentFile(name="mine", capabilities=capabilities)
    assert chosen(file, decision(platform, "feature", hybrid=0.6, codex=0.3, claude_code=0.1)) == goes_to


def test_without_platform_selection_the_modes_choose_nothing() -> None:
    modes = {"headless": {"platform": "codex", "use_for": ["debugging"]}}
    given = decision("claude-code", "debug")
    assert chosen(AgentFile.model_validate({"name": "mine", "modes": modes}), given) == "codex"
    without = {"name": "mine", "modes": modes, "capabilities": ["interactive_reasoning"]}
    assert chosen(AgentFile.model_validate(without), given) == "claude-code"
    assert chosen(AgentFile.model_validate({"name": "mine", "modes": modes}), decision("claude-code", None)) == (
        "claude-code"
    )


def test_without_workflow_routing_the_router_names_no_workflow(
    tmp_path: Path, settings: Settings, model: Router
) -> None:
    task = "add a dark mode to the settings page, from the design to the tests"
    assert model.route(task, platform=Platform.HYBRID).workflow
    plain = lead(tmp_path, settings, "capabilities: [hybrid_orchestration]").routing(model)
    assert plain.route(task, platform=Platform.HYBRID).workflow is None


def test_what_is_recorded_reaches_the_router(tmp_path: Path, settings: Settings, model: Router) -> None:
    led = lead(tmp_path, settings, "").routing(model)
    made = led.route("explain the cache")
    led.record_feedback(Feedback(decision_id=made.decision_id, verdict="good"))
    led.record_outcome(Outcome(decision_id=made.decision_id, run_id="r1", platform="codex", status="failed"))  # type: ignore[arg-type]
    (last, *_) = [row for row in model.journal.history() if row[0].decision.decision_id == made.decision_id]
    assert (len(last[1]), len(last[2])) == (1, 1)


def test_headless_work_goes_to_the_program_that_the_file_names(tmp_path: Path, settings: Settings) -> None:
    auto = settings.model_copy(update={"headless": "auto"})
    claude = "modes: {headless: {platform: claude-code}}"
    assert lead(tmp_path, settings, claude).settings(auto).headless == "claude"
    assert lead(tmp_path, settings, SEED_MODES).settings(auto) is auto
    with pytest.raises(BadInput, match="a person sits with claude-code here"):
        lead(tmp_path, settings, "modes: {interactive: {platform: codex}}")
