"""The sessions of a run share its money."""

from pathlib import Path

from runner.runs.budget import Budget


def waiting(folder: Path, *workers: str) -> Path:
    for worker in workers:
        (folder / worker).mkdir()
        (folder / worker / "run.json").write_text("{}")
    return folder


def test_without_a_limit_a_session_may_cost_what_it_may(tmp_path: Path) -> None:
    budget = Budget(tmp_path, None)
    assert budget.claim("a", 2.0) == 2.0
    assert budget.claim("a", None) is None
    budget.settle("a", 1.0)
    assert list(tmp_path.iterdir()) == []


def test_sessions_that_have_not_begun_share_what_is_left(tmp_path: Path) -> None:
    budget = Budget(waiting(tmp_path, "a", "b", "c"), 3.0)
    assert budget.claim("a", None) == 1.0
    assert budget.claim("a", None) == 1.0
    budget.settle("a", 0.2)
    assert budget.claim("b", None) == 1.4
    assert budget.claim("c", 0.5) == 0.5


def test_nothing_is_left_where_all_is_spent(tmp_path: Path) -> None:
    budget = Budget(waiting(tmp_path, "a"), 1.0)
    budget.claim("a", None)
    budget.settle("a", 1.2)
    budget.settle("a", None)
    assert budget.claim("b", None) == 0
