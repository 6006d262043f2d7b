"""An order is carried out: routed, worked on in worktrees, written down and told to the router."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from router.labels import Platform, Status
from router.schemas import Outcome
from router.service import Router
from runner.errors import (
    BadInput,
    DirtyCheckout,
    ProgramMissing,
    RepositoryUnusable,
    RouterFailed,
    StorageUnavailable,
)
from runner.orders.execute import Order, Report, execute, open_routing
from runner.orders.preview import preview
from runner.outcomes.letter import leave
from runner.runs.state import State
from runner.settings import Settings
from runner.storage import make_folder
from runner.tasks.task_order import Wanted
from runner.terminal.progress import PlainProgress

Script = Callable[..., str]
GitRun = Callable[..., str]
Carry = Callable[..., Report]
pytestmark = pytest.mark.usefixtures("in_environment")


@pytest.fixture
def carry(repo: Path, settings: Settings) -> Carry:
    """Carries out tasks with the scripted agent; they are headless unless told otherwise."""

    def run(*tasks: str, platform: Platform | None = Platform.CODEX, **order: object) -> Report:
        changed = {name: order.pop(name) for name in list(order) if name in Settings.model_fields}
        given = Order(tasks=tuple(map(Wanted, tasks)), platform=platform, **order)  # type: ignore[arg-type]
        return execute(given, settings.model_copy(update=changed), repo, PlainProgress())

    return run


def test_each_task_is_done_on_a_branch_of_its_own(carry: Carry, script: Script, repo: Path, git: GitRun) -> None:
    report = carry(script(write=["one.txt", "1\n"], use=7), script(write=["two.txt", "2\n"]))
    assert [entry.state for entry in report.entries] == [State.SUCCEEDED, State.SUCCEEDED]
    assert report.exit_code == 0
    for entry, file in zip(report.entries, ("one.txt", "two.txt"), strict=True):
        branch = f"dual/{report.run_id}/{entry.record.worker}"
        assert entry.record.branch == branch
        assert git(repo, "diff", "--name-only", f"main...{branch}") == file
        assert entry.ending is not None
        assert (entry.ending.commit, entry.ending.diff and entry.ending.diff.added) == (
            git(repo, "rev-parse", branch),
            1,
        )


def test_the_checkout_is_not_touched(carry: Carry, script: Script, repo: Path, git: GitRun) -> None:
    before = (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch"))
    report = carry(script(write=["a.txt", "changed"], run="git checkout -q -b mine; git commit -qam x"))
    assert (git(repo, "rev-parse", "HEAD"), git(repo, "status", "--porcelain", "--branch")) == before
    assert report.untouched


def test_a_changed_checkout_is_noticed(carry: Carry, script: Script, repo: Path) -> None:
    assert not carry(script(run=f"touch {repo}/intruder")).untouched


def test_the_router_learns_what_came_of_it(
    carry: Carry, script: Script, router: Router, deliver: Callable[[], int]
) -> None:
    report = carry(script(write=["one.txt", "1\n"], use=7), script(fail="no idea"))
    assert deliver() == 0
    learned = {o.decision_id: o for _, outcomes, _ in router.journal.history() for o in outcomes}
    good, bad = (learned[entry.record.decision.decision_id] for entry in report.entries)
    assert (good.status, good.tokens, good.turns, good.diff_lines) == (Status.SUCCEEDED, 7, 1, 1)
    assert (bad.status, bad.terminal_reason, bad.run_id) == (Status.FAILED, "no idea", report.run_id)
    assert report.exit_code == 1
    assert report.unsent == 0


def test_tasks_run_at_the_same_time_up_to_the_limit(carry: Carry, tmp_path: Path, script: Script) -> None:
    meet = f"touch {tmp_path}/$$; while [ $(ls {tmp_path} | grep -c '^[0-9]*$') -lt 2 ]; do sleep 0.02; done"
    assert carry(script(run=meet), script(run=meet), workers=2, timeout_s=60).exit_code == 0


def test_one_at_a_time_means_one_after_the_other(carry: Carry, script: Script) -> None:
    first, second = carry(script(say="a"), script(say="b"), workers=1).entries
    assert first.ending is not None
    assert first.ending.ended_at <= second.record.started_at


def test_uncommitted_changes_are_allowed_but_said_to_be_unseen(
    carry: Carry, script: Script, repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "a.txt").write_text("changed\n")
    report = carry(script(run="grep hello a.txt && touch seen.txt"), allow_dirty=True)
    assert "they do not see a.txt" in capsys.readouterr().err
    assert report.entries[0].ending is not None
    assert report.entries[0].ending.diff is not None
    assert report.entries[0].ending.diff.files == 1


def test_uncommitted_changes_are_refused_unless_they_are_allowed(carry: Carry, repo: Path, git: GitRun) -> None:
    (repo / "a.txt").write_text("changed\n")
    with pytest.raises(DirtyCheckout, match=r"a\.txt.*--allow-dirty"):
        carry("hi")
    assert git(repo, "branch", "--list", "dual/*") == ""


def test_workers_start_from_the_base_asked_for(carry: Carry, script: Script, repo: Path, git: GitRun) -> None:
    git(repo, "tag", "old")
    git(repo, "rm", "--quiet", "a.txt")
    git(repo, "commit", "--quiet", "--message", "later")
    report = carry(script(run="grep hello a.txt && touch seen.txt"), base="old")
    assert report.entries[0].record.base_name == "old"
    assert git(repo, "diff", "--name-only", f"old...{report.entries[0].record.branch}") == "seen.txt"


def test_on_a_detached_head_the_base_is_called_by_its_number(carry: Carry, repo: Path, git: GitRun) -> None:
    git(repo, "checkout", "--quiet", "--detach")
    assert carry("hi").entries[0].record.base_name == git(repo, "rev-parse", "HEAD")[:10]


def test_without_a_terminal_interactive_and_hybrid_tasks_wait(carry: Carry, router: Router) -> None:
    report = carry("explain the parser", "refactor the parser", "write tests", platform=None)
    assert [entry.state for entry in report.entries] == [State.WAITING] * 3
    assert report.exit_code == 8
    assert report.entries[0].record.command.endswith("runner execute -- 'explain the parser'")
    assert "design" in report.entries[1].reason
    assert "unsure" in report.entries[2].reason
    assert all(not outcomes for _, outcomes, _ in router.journal.history())


def test_yes_starts_unsure_headless_tasks_and_puts_hybrid_ones_off(carry: Carry) -> None:
    report = carry("write tests for the parser", "refactor the parser", platform=None, yes=True)
    assert [entry.state for entry in report.entries] == [State.SUCCEEDED, State.WAITING]


def test_an_override_is_logged_as_one_and_repeated_later(carry: Carry, router: Router) -> None:
    report = carry("write tests", platform=Platform.CLAUDE_CODE)
    assert report.entries[0].record.decision.source == "override"
    assert "--platform claude-code -- 'write tests'" in report.entries[0].record.command


def test_a_task_that_git_cannot_prepare_fails_alone(carry: Carry, script: Script, repo: Path, git: GitRun) -> None:
    git(repo, "branch", "dual")  # no branch can be called dual/… now
    report = carry(script(say="hi"))
    assert report.entries[0].state is State.FAILED
    assert "git worktree add" in report.entries[0].reason


def test_work_that_cannot_be_committed_is_not_lost(carry: Carry, script: Script) -> None:
    report = carry(script(write=["new.txt", "x"], run="mkdir $(git rev-parse --git-dir)/index.lock"))
    (entry,) = report.entries
    assert entry.state is State.FAILED
    assert f"the work lies in {entry.record.cwd}" in entry.reason
    assert (entry.record.cwd / "new.txt").read_text() == "x"


def test_a_lost_record_is_said_and_the_work_is_kept(
    carry: Carry, script: Script, settings: Settings, repo: Path, git: GitRun, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = settings.data_folder() / "repositories/*/runs/*/1-*"
    report = carry(script(write=["new.txt", "x"], run=f"mkdir -p $(echo {runs})/exit.json/x"))
    assert "exit.json: can't be written" in capsys.readouterr().err
    assert report.entries[0].state is State.INTERRUPTED
    assert git(repo, "diff", "--name-only", f"main...{report.entries[0].record.branch}") == "new.txt"


def test_a_router_that_forgot_the_decision_costs_no_outcome(
    carry: Carry, script: Script, settings: Settings, deliver: Callable[[], int]
) -> None:
    forgotten = Outcome(decision_id="forgotten", run_id="r1", platform="codex", status=Status.SUCCEEDED)
    leave(settings.data_folder() / "outbox", "1", forgotten)
    assert carry(script(say="hi")).unsent == 1
    assert deliver() == 1


def test_a_choice_that_is_told_twice_is_kept_once(
    carry: Carry, script: Script, settings: Settings, router: Router, deliver: Callable[[], int]
) -> None:
    outbox = settings.data_folder() / "outbox"
    report = carry(script(say="hi"))
    (told,) = [path for path in outbox.glob("*.json") if b'"choices":[{' in path.read_bytes()]
    copy = told.read_bytes()
    assert deliver() == 0
    told.write_bytes(copy)
    assert deliver() == 0
    ((decision, outcomes, _),) = router.journal.history()
    assert decision.decision.decision_id == report.entries[0].record.decision.decision_id
    assert (decision.decision.source, len(outcomes)) == ("override", 1)


def test_without_a_choice_the_router_decides_in_a_process_of_its_own(carry: Carry, router: Router) -> None:
    (entry,) = carry("fix all typos in the comments", platform=None, yes=True).entries
    until_known = [one.decision for one in router.decisions()]
    assert entry.record.decision.source == "regex"
    assert all(one == entry.record.decision for one in until_known)


def test_a_task_that_is_none_is_refused_by_whoever_decides(carry: Carry) -> None:
    with pytest.raises(BadInput, match="NUL"):
        carry("a\x00b")
    with pytest.raises(RouterFailed, match="NUL") as refused:
        carry("a\x00b", platform=None)
    assert refused.value.exit_code == 2


def test_a_router_that_cannot_be_opened_is_said(carry: Carry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_PORT", "many")
    with pytest.raises(RouterFailed, match="ROUTER_PORT=many"):
        carry("hi", platform=None)


def test_an_outcome_that_is_neither_kept_nor_sent_is_said(
    carry: Carry, script: Script, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(settings.data_folder())
    (settings.data_folder() / "outbox").touch()
    forget = tmp_path / "forget.py"
    forget.write_text("import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as d: d.execute('delete from decisions')")
    carry(script(run=f"{sys.executable} {forget} {tmp_path}/router.db"))
    assert "what came of it is neither kept nor sent" in capsys.readouterr().err


def test_cost_limits_that_codex_cannot_keep_are_said(
    repo: Path, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = tmp_path / "codex"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    order = Order((Wanted("hi"),), Platform.CODEX, max_cost_usd=1)
    report = execute(order, settings.model_copy(update={"codex": fake, "headless": "codex"}), repo, PlainProgress())
    assert "codex reports no cost" in capsys.readouterr().err
    assert report.entries[0].reason == "ended with code 3 and without a result"


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (Order((Wanted("hi"),), base="nowhere"), BadInput),
        (Order((Wanted("hi"),), Platform.CODEX), ProgramMissing),
    ],
)
def test_what_cannot_be_begun_starts_nothing(
    repo: Path, settings: Settings, git: GitRun, order: Order, error: type[Exception]
) -> None:
    unlucky = settings.model_copy(update={"headless": "codex", "codex": Path("/nowhere")})
    with pytest.raises(error):
        execute(order, unlucky, repo, PlainProgress())
    assert git(repo, "worktree", "list").count("\n") == 0


def test_outside_a_repository_nothing_is_begun(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(RepositoryUnusable):
        execute(Order((Wanted("hi"),)), settings, tmp_path, PlainProgress())


def test_a_data_folder_that_cannot_be_written_is_said_first(carry: Carry, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="RUNNER_HOME"):
        carry("hi", home=tmp_path / "file")


def test_a_setting_of_the_router_that_it_cannot_use_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_PORT", "many")
    with pytest.raises(BadInput, match="ROUTER_PORT=many"):
        open_routing(settings)


def test_a_preview_shows_commands_and_makes_nothing(
    repo: Path, settings: Settings, tmp_path: Path, git: GitRun
) -> None:
    claude = tmp_path / "claude"
    claude.write_text("#!/bin/sh\n")
    claude.chmod(0o755)
    order = Order((Wanted("write tests"), Wanted("explain it")))
    shown = preview(order, settings.model_copy(update={"claude": claude}), repo, PlainProgress())
    assert [one.program for one in shown] == ["scripted", "claude"]
    assert "prompt.txt" in shown[0].command
    assert shown[1].command.endswith("-- ' explain it'")
    assert not settings.data_folder().exists()
    assert git(repo, "branch", "--list", "dual/*") == ""


def test_two_runners_at_once_do_not_disturb_each_other(repo: Path, environ: dict[str, str], script: Script) -> None:
    argv = [sys.executable, "-c", "from runner.cli import entry; entry()", "execute", "--platform", "codex"]
    both = [subprocess.Popen([*argv, script(write=["x", "y"])], cwd=repo, env=environ) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
