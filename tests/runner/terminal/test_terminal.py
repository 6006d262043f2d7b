"""With a terminal: it is lent to the interactive program, and a key says what came of it."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from router.labels import Platform, Status
from router.service import Router
from runner.runs.archive import Archive
from runner.runs.state import State
from runner.terminal.signals import deaf_to_keys, stopping
from runner.terminal.terminal import ask

from .conftest import Open, end

Script = Callable[..., str]


@pytest.mark.parametrize(
    ("answer", "key", "state", "accepted", "code"),
    [
        ("bye", "g", State.SUCCEEDED, True, 0),
        ("bye", "b", State.REJECTED, False, 1),
        ("bye", "?s", State.SUCCEEDED, None, 0),
        ("fail", "s", State.FAILED, None, 1),
        ("fail", "G", State.SUCCEEDED, True, 0),
    ],
)
def test_a_key_says_what_came_of_an_interactive_task(
    open_runner: Open, archive: Archive, answer: str, key: str, state: State, *, accepted: bool | None, code: int
) -> None:
    terminal = open_runner("--platform", "claude-code", "--", "--help me")
    terminal.expect("CLAUDE GOT --help me")
    terminal.sendline(answer)
    terminal.expect(r"Was it right\?.*\[s\] skip")
    terminal.send(key)
    assert end(terminal) == code
    (entry,) = archive.entries()
    assert entry.ending is not None
    assert (entry.state, entry.ending.accepted) == (state, accepted)


def test_the_platform_that_it_should_have_been_goes_to_the_router(
    open_runner: Open, router: Router, deliver: Callable[[], int]
) -> None:
    terminal = open_runner("--platform", "claude-code", "explain it")
    terminal.expect("CLAUDE GOT explain it")
    terminal.sendline("bye")
    terminal.expect(r"\[c\] should be codex")
    terminal.send("c")
    assert end(terminal) == 1
    assert deliver() == 0
    ((_, outcomes, corrections),) = router.journal.history()
    assert [outcome.status for outcome in outcomes] == [Status.REJECTED]
    assert [correction.platform for correction in corrections] == [Platform.CODEX]


def test_ctrl_c_is_for_the_program_that_has_the_terminal(open_runner: Open) -> None:
    terminal = open_runner("--platform", "claude-code", "explain it")
    terminal.expect("CLAUDE GOT explain it")
    terminal.sendintr()
    terminal.expect("INTERRUPTED")
    terminal.sendline("bye")
    terminal.expect("skip")
    terminal.send("g")
    assert end(terminal) == 0


def test_ctrl_c_at_the_question_ends_the_run(open_runner: Open, archive: Archive) -> None:
    terminal = open_runner("--platform", "claude-code", "explain it", "explain that")
    terminal.expect("CLAUDE GOT explain it")
    terminal.sendline("bye")
    terminal.expect("skip")
    terminal.sendintr()
    assert end(terminal) == 130
    assert [entry.state for entry in archive.entries()] == [State.CANCELLED, State.CANCELLED]


def test_a_hybrid_task_begins_with_its_design(open_runner: Open) -> None:
    terminal = open_runner("--platform", "hybrid", "refactor it")
    terminal.expect("phase design: begins")
    terminal.expect("CLAUDE GOT Design, before anything is implemented: refactor it")
    terminal.sendline("bye")
    terminal.expect("there is no design")
    assert end(terminal) == 1


@pytest.mark.parametrize(
    ("key", "told"),
    [("y", "succeeded"), ("n", "not confirmed"), ("i", "CLAUDE GOT write tests"), ("h", "CLAUDE GOT Design, before")],
)
def test_an_unsure_decision_is_asked_about(open_runner: Open, key: str, told: str) -> None:
    terminal = open_runner("write tests")
    terminal.expect(r"1-write-tests: codex\?.*\[n\] no")
    terminal.send(key)
    terminal.expect(told)
    if key in "yn":
        assert end(terminal) == (0 if key == "y" else 1)


def test_headless_tasks_go_on_while_a_person_sits_with_another(
    open_runner: Open, archive: Archive, script: Script
) -> None:
    terminal = open_runner("explain it", "write tests: " + script(say="hi"))
    terminal.expect(r"1-explain-it: claude-code\?")
    terminal.send("y")
    terminal.expect(r"2-write-tests-say-hi: codex\?")
    terminal.send("y")
    terminal.expect("CLAUDE GOT explain it")
    while not any(entry.ending for entry in archive.entries()):
        threading.Event().wait(0.05)
    terminal.sendline("bye")
    terminal.expect("skip")
    terminal.send("g")
    terminal.expect("2-write-tests-say-hi.*succeeded")
    assert end(terminal) == 0


@pytest.mark.parametrize("asked", [False, True])
def test_a_closed_terminal_ends_the_run_in_good_order(open_runner: Open, archive: Archive, *, asked: bool) -> None:
    terminal = open_runner("--platform", "claude-code", "explain it")
    terminal.expect("CLAUDE GOT explain it")
    if asked:
        terminal.sendline("bye")
        terminal.expect("skip")
    terminal.ptyproc.fileobj.close()  # type: ignore[attr-defined]  # missing in the stubs
    assert terminal.wait() == 130
    (entry,) = archive.entries()
    assert (entry.state, entry.reason) == (State.CANCELLED, "stopped by the user")


def test_sigterm_ends_an_interactive_program_that_does_not_want_to_end(open_runner: Open, archive: Archive) -> None:
    terminal = open_runner("--platform", "claude-code", "deaf")
    terminal.expect("CLAUDE GOT deaf")
    terminal.kill(signal.SIGTERM)
    assert end(terminal) == 130
    (entry,) = archive.entries()
    assert entry.ending is not None
    assert entry.ending.exit_code == -signal.SIGKILL


def test_a_program_that_cannot_be_started_leaves_the_terminal_as_it_was(open_runner: Open, tmp_path: Path) -> None:
    terminal = open_runner("--platform", "claude-code", "explain it")
    (tmp_path / "claude").write_text("#!/no/such/interpreter\n")
    terminal.expect("can't be started")
    assert end(terminal) == 7


def test_a_stopped_run_asks_nothing() -> None:
    stop = threading.Event()
    stop.set()
    assert ask("Well?", {"y": "yes"}, stop) is None


def test_signals_that_the_caller_ignores_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping(threading.Event()), deaf_to_keys():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
