"""Workers' branches are merged in order; what can't be merged is told, and nothing is lost."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.acceptance.harvest import Finished
from runner.checkout.project import Project
from runner.errors import Busy, Conflicting
from runner.lock import locked
from runner.merging import integrated
from runner.merging.integrated import Integrated, integrate, needs_integration, read_integrated
from runner.merging.integration import Integration, branch_of
from runner.merging.joint import join
from runner.runs.records import Entry
from runner.runs.state import State

GitRun = Callable[..., str]
Work = Callable[..., Entry]
RUN = "20261124-090000-abcd"


def merged(place: Finished, *entries: Entry, **project: Any) -> Integrated:
    """Integrate and return what came of it."""
    place = replace(place, base=place.repository.resolve("main"))
    return integrate(place, entries, Project.model_validate(project), os.environ)


def test_branches_are_merged_in_the_order_of_their_tasks(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    before = place.repository.look()
    done = merged(place, work("10-c", c_txt="c\n"), work("2-b", b_txt="b\n"), work("1-a", a_txt="hello\nmore\n"))
    assert [part.worker for part in done.merged] == ["1-a", "2-b", "10-c"]
    assert git(repo, "log", "--first-parent", "--format=%s", f"main..{done.branch}").split("\n") == [
        "dual: merge 10-c", "dual: merge 2-b", "dual: merge 1-a",
    ]  # fmt: skip
    assert (done.branch, done.commit) == (branch_of(RUN), git(repo, "rev-parse", branch_of(RUN)))
    assert git(repo, "show", f"{done.branch}:a.txt") == "hello\nmore"
    assert (done.conflicts, done.left_out, done.checks) == ((), (), ())
    assert place.repository.look() == before
    assert read_integrated(place.archive, RUN) == done


def test_a_worker_that_added_nothing_to_what_it_waited_for_has_no_part(place: Finished, work: Work) -> None:
    first, other = work("1-a", a_txt="a\n"), work("2-b", b_txt="b\n")
    done = merged(place, first, other, work("3-c", base=first.record.branch or ""))
    assert [part.worker for part in done.merged] == ["1-a", "2-b"]


def test_a_conflict_is_listed_with_both_sides_and_the_rest_is_merged(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    entries = (work("1-a", a_txt="from 1\n"), work("2-b", a_txt="from 2\n"), work("3-c", c_txt="c\n"))
    done = merged(place, *entries)
    (conflict,) = done.conflicts
    assert (conflict.worker, conflict.branch, conflict.files) == ("2-b", f"dual/{RUN}/2-b", ("a.txt",))
    assert "from 1" in conflict.sides
    assert "from 2" in conflict.sides
    assert [part.worker for part in done.merged] == ["1-a", "3-c"]
    assert git(repo, "show", f"{done.branch}:c.txt") == "c"
    assert git(repo, "show", f"{conflict.branch}:a.txt") == "from 2"


def test_what_did_not_succeed_is_left_out_and_stays(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    done = merged(place, work("1-a", a_txt="1\n"), work("2-b", State.TIMED_OUT, b_txt="half\n"), work("3-c"))
    assert [(part.worker, part.reason) for part in done.left_out] == [("2-b", "timed_out: completed")]
    assert [part.worker for part in done.merged] == ["1-a"]
    assert git(repo, "show", f"dual/{RUN}/2-b:b.txt") == "half"


def test_a_run_needs_it_for_two_changes_or_for_a_check(place: Finished, work: Work) -> None:
    one, nothing, failed = work("1-a", a_txt="1\n"), work("2-b"), work("3-c", State.FAILED, c_txt="c\n")
    assert not needs_integration(place, [one, nothing, failed], Project())
    assert needs_integration(place, [one, nothing], Project(check=("true",)))
    assert not needs_integration(place, [nothing], Project(check=("true",)))
    assert needs_integration(place, [one, work("4-d", d_txt="d\n")], Project())


def test_checks_run_on_the_merged_work_all_of_them(place: Finished, work: Work) -> None:
    done = merged(
        place, work("1-a", a_txt="1\n"), work("2-b", b_txt="2\n"),
        check=["cat a.txt b.txt", "echo broken; exit 1", "head -c 9000 /dev/zero | tr '\\0' x; exit 2", "sleep 60"],
        check_timeout_s=1,
    )  # fmt: skip
    first, second, third, fourth = done.checks
    assert (first.passed, first.output) == (True, "1\n2")
    assert (second.passed, second.output) == (False, "broken")
    assert (third.passed, len(third.output)) == (False, 8001)
    assert (fourth.passed, fourth.output) == (False, "no answer after 1 s")


def test_the_place_to_merge_in_is_set_up_as_worktrees_are(place: Finished, work: Work) -> None:
    entries = (work("1-a", a_txt="1\n"), work("2-b", b_txt="2\n"))
    done = merged(place, *entries, setup="touch tool", check=["test -e tool"])
    assert [check.passed for check in done.checks] == [True]


def test_a_setup_that_fails_there_is_a_failed_check(place: Finished, work: Work) -> None:
    entries = (work("1-a", a_txt="1\n"), work("2-b", b_txt="2\n"))
    done = merged(place, *entries, setup="echo no net; exit 1", check=["true"])
    assert [(check.command, check.passed, check.output) for check in done.checks] == [
        ("echo no net; exit 1", False, "no net"), ("true", True, ""),
    ]  # fmt: skip
    assert len(done.merged) == 2


def test_doing_it_again_changes_nothing_until_a_branch_moves(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    one, two = work("1-a", a_txt="1\n"), work("2-b", a_txt="2\n")
    first = merged(place, one, two)
    assert merged(place, one, two) == first
    moved = work("1-a", more_txt="more\n")
    again = merged(place, moved, two)
    assert git(repo, "show", f"{again.branch}:more.txt") == "more"
    assert [conflict.worker for conflict in again.conflicts] == ["2-b"]


def test_it_goes_on_where_it_was_killed_in_the_middle_of_a_merge(
    place: Finished, work: Work, repo: Path, git: GitRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.checkout.worktree.STALE_S", 0.1)
    entries = [work("1-a", a_txt="1\n"), work("2-b", a_txt="2\n"), work("3-c", c_txt="3\n")]
    path = Integration.open(place, place.repository.resolve("main")).tree.path
    git(path, "merge", "--no-ff", "-m", "dual: merge 1-a", entries[0].record.branch)
    with pytest.raises(subprocess.CalledProcessError):
        git(path, "merge", entries[1].record.branch)
    (repo / ".git/worktrees" / path.name / "index.lock").touch()
    done = merged(place, *entries)
    assert [part.worker for part in done.merged] == ["1-a", "3-c"]
    assert [conflict.worker for conflict in done.conflicts] == ["2-b"]
    assert git(repo, "show", f"{done.branch}:a.txt") == "1"
    assert "<<<<" not in git(repo, "show", f"{done.branch}:a.txt")


def test_a_merge_of_ours_that_was_not_committed_yet_is_made_anew(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    entry = work("1-a", a_txt="1\n")
    path = Integration.open(place, place.repository.resolve("main")).tree.path
    git(path, "merge", "--no-ff", "--no-commit", str(entry.record.branch))
    (repo / ".git/worktrees" / path.name / "MERGE_MSG").write_text("dual: merge 1-a\n")
    done = merged(place, entry)
    assert git(repo, "log", "--first-parent", "--format=%s", f"main..{done.branch}") == "dual: merge 1-a"


def test_a_conflict_that_a_person_solved_is_kept(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    entries = [work("1-a", a_txt="1\n"), work("2-b", a_txt="2\n")]
    path = place.archive.worktree(RUN, "integration")
    assert merged(place, *entries).conflicts
    with pytest.raises(subprocess.CalledProcessError):
        git(path, "merge", str(entries[1].record.branch))
    (path / "a.txt").write_text("1 and 2\n")
    git(path, "add", "a.txt")
    integration = Integration.open(place, place.repository.resolve("main"))
    assert git(repo, "show", f"{integration.tree.branch}:a.txt") == "1 and 2"
    assert integration.unmerged(()) == ()
    assert integration.merge([("2-b", str(entries[1].record.branch))]) == []


def test_only_one_merges_a_run_at_a_time(place: Finished, work: Work) -> None:
    entry = work("1-a", a_txt="1\n")
    impatient = replace(place, lock_wait_s=0)
    with locked(place.archive.folder / "runs" / RUN / "integration.lock", 0), pytest.raises(Busy):
        merged(impatient, entry)


def test_work_whose_branch_was_deleted_is_merged_from_its_commit(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    entry = work("1-a", a_txt="1\n")
    git(repo, "worktree", "remove", "--force", str(entry.record.cwd))
    git(repo, "branch", "-D", str(entry.record.branch))
    done = merged(place, entry, work("2-b", b_txt="2\n"))
    assert [part.worker for part in done.merged] == ["1-a", "2-b"]


def test_work_that_is_gone_altogether_has_no_part(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    entry = work("1-a", a_txt="1\n")
    git(repo, "worktree", "remove", "--force", str(entry.record.cwd))
    git(repo, "branch", "-D", str(entry.record.branch))
    assert entry.ending is not None
    lost = Entry(entry.folder, entry.record, entry.ending.model_copy(update={"commit": "0" * 40}))
    assert [part.worker for part in merged(place, lost, work("2-b", b_txt="2\n")).merged] == ["2-b"]


@pytest.mark.parametrize(
    ("attributes", "driver"),
    [
        ("*.txt merge=mine", ("config", "merge.mine.driver", "true")),
        ("*.txt -diff merge=mine", ("config", "merge.mine.driver", "true")),
    ],
)
def test_a_merge_that_git_calls_clean_but_loses_work_is_a_conflict(
    place: Finished, work: Work, repo: Path, git: GitRun, attributes: str, driver: tuple[str, ...]
) -> None:
    (repo / ".gitattributes").write_text(attributes + "\n")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "attributes")
    git(repo, *driver)
    done = merged(place, work("1-a", a_txt="hello\nfrom 1\n"), work("2-b", a_txt="hello\nfrom 2\n", b_txt="b\n"))
    (conflict,) = done.conflicts
    assert (conflict.worker, conflict.files) == ("2-b", ("a.txt",))
    assert "not all of both sides is left" in conflict.sides
    assert git(repo, "show", f"{done.branch}:a.txt") == "hello\nfrom 1"
    assert git(repo, "ls-tree", "--name-only", done.branch, "b.txt") == ""


def test_a_union_of_both_sides_loses_nothing(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    (repo / ".gitattributes").write_text("*.txt merge=union\n")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "attributes")
    done = merged(place, work("1-a", a_txt="hello\nfrom 1\n"), work("2-b", a_txt="hello\nfrom 2\n"))
    assert done.conflicts == ()
    assert set(git(repo, "show", f"{done.branch}:a.txt").split()) == {"hello", "from", "1", "2"}


def test_a_recorded_resolution_is_not_used(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    git(repo, "config", "rerere.enabled", "true")
    git(repo, "config", "rerere.autoUpdate", "true")
    entries = work("1-a", a_txt="from 1\n"), work("2-b", a_txt="from 2\n")
    scratch = Integration.open(place, place.repository.resolve("main")).tree.path
    git(scratch, "merge", "--quiet", entries[0].record.branch)
    with pytest.raises(subprocess.CalledProcessError):
        git(scratch, "merge", entries[1].record.branch)
    (scratch / "a.txt").write_text("from 1\n")
    git(scratch, "commit", "--quiet", "--all", "--message", "solved")
    git(scratch, "reset", "--quiet", "--hard", "main")
    assert [conflict.worker for conflict in merged(place, *entries).conflicts] == ["2-b"]


def test_what_one_moves_and_another_changes_meets_in_the_new_place(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    (repo / "long.txt").write_text("".join(f"line {n}\n" for n in range(20)))
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "long")
    text = (repo / "long.txt").read_text()
    done = merged(
        place, work("1-a", long_txt=None, sub__long_txt=text), work("2-b", long_txt=text + "last\n"),
        work("3-c", a_txt=None), work("4-d", long_txt="first\n" + text),
    )  # fmt: skip
    assert done.conflicts == ()
    assert git(repo, "show", f"{done.branch}:sub/long.txt") == f"first\n{text}last"
    assert git(repo, "ls-tree", "--name-only", done.branch) == "sub"


def test_workers_that_build_on_each_other_may_change_what_was_done_before(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    first = work("1-a", a_txt="from 1\n")
    second = work("2-b", base=str(first.record.branch), a_txt="better\n")
    done = merged(place, first, second)
    assert done.conflicts == ()
    assert git(repo, "show", f"{done.branch}:a.txt") == "better"


def test_a_branch_of_another_history_is_told_not_merged(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    one, two = work("1-a", a_txt="1\n"), work("2-b", b_txt="2\n")
    orphan = git(repo, "commit-tree", "-m", "alone", f"{two.record.branch}^{{tree}}")
    git(two.record.cwd, "reset", "--quiet", "--hard", orphan)
    (conflict,) = merged(place, one, two).conflicts
    assert (conflict.worker, conflict.files) == ("2-b", ())
    assert "unrelated histories" in conflict.sides


def test_half_a_note_of_it_is_none(place: Finished, work: Work) -> None:
    merged(place, work("1-a", a_txt="1\n"))
    (place.archive.folder / "runs" / RUN / integrated.FILE).write_text("{")
    assert read_integrated(place.archive, RUN) is None


def test_a_task_that_waits_for_several_starts_from_all_of_them(
    place: Finished, work: Work, repo: Path, git: GitRun
) -> None:
    one, two = work("1-a", a_txt="1\n"), work("2-b", b_txt="2\n")
    tips = [git(repo, "rev-parse", str(entry.record.branch)) for entry in (one, two)]
    assert join(place, "3-c", [place.base, tips[0]]) == tips[0]
    base = join(place, "3-c", tips)
    assert git(repo, "ls-tree", "--name-only", base).split() == ["a.txt", "b.txt"]
    assert git(repo, "show", f"{base}:a.txt") == "1"
    third = work("3-c", base=base, a_txt="better\n")
    done = merged(place, one, two, third)
    assert (done.conflicts, git(repo, "show", f"{done.branch}:a.txt")) == ((), "better")
    assert not place.archive.worktree(RUN, "3-c.base").exists()


def test_what_a_task_waits_for_may_be_in_conflict(place: Finished, work: Work, repo: Path, git: GitRun) -> None:
    tips = [git(repo, "rev-parse", str(work(name, a_txt=f"{name}\n").record.branch)) for name in ("1-a", "2-b")]
    with pytest.raises(Conflicting, match=r"what 3-c waits for is in conflict in a\.txt; resolve that by hand"):
        join(place, "3-c", tips)
    assert not place.archive.worktree(RUN, "3-c.base").exists()
