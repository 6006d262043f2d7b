"""Job control: an interactive program is suspended and brought back together with the runner, as a shell's jobs are."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from runner.process import Command
from runner.terminal.foreground import run_in_foreground

PROGRAM = f"""#!{sys.executable}
import os, signal, sys, termios, tty
mode = termios.tcgetattr(0)
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"INTERRUPTED\\n"))  # print can't be entered twice
print("GROUP", "OWN" if os.getpgrp() == os.getpid() == os.tcgetpgrp(0) else "SHARED", flush=True)
if "raw" in sys.argv:
    tty.setraw(0)
for key in iter(lambda: os.read(0, 1), b""):
    if key == b"\\x1a":
        os.kill(os.getpid(), signal.SIGSTOP)
        print("BACK", "RAW" if not termios.tcgetattr(0)[3] & termios.ICANON else "COOKED", flush=True, end="\\r\\n")
    elif key == b"q":
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        print("QUITS", flush=True)
        sys.exit(7)
    elif key.isalpha():
        print("GOT", key.decode(), flush=True, end="\\r\\n")
"""
RUNNER = """
import os, signal, sys, threading
from pathlib import Path
from runner.process import Command
from runner.terminal.terminal import lend
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
code = lend(Command(tuple(sys.argv[1:]), Path.cwd(), os.environ), "mark", stop, 0.3)
print("LENT", code, "OURS" if os.tcgetpgrp(0) == os.getpgrp() else "NOT OURS", flush=True)
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator["pexpect.spawn[str]"]:
    """An interactive shell with job control, and a `lend` to be called in it."""
    for name, text in (("program", PROGRAM), ("lending.py", RUNNER)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    argv = ["--norc", "--noprofile", "-i"]
    env = {"PS1": "SHELL> ", "PATH": "/usr/bin:/bin", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    env |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    opened = pexpect.spawn("/bin/bash", argv, cwd=str(tmp_path), env=env, encoding="utf-8", timeout=30)
    opened.expect_exact("SHELL> ")
    yield opened
    opened.close(force=True)


def lend(shell: "pexpect.spawn[str]", *args: str) -> None:
    """Have the program lent the terminal, and wait until it has it."""
    shell.sendline(f"{sys.executable} lending.py ./program {' '.join(args)}")
    shell.expect("GROUP OWN")


def test_ctrl_c_reaches_the_program_alone(shell: "pexpect.spawn[str]") -> None:
    lend(shell)
    shell.sendintr()
    shell.expect("INTERRUPTED")
    shell.sendline("q")
    shell.expect("LENT 7 OURS")


@pytest.mark.parametrize("mode", ["raw", "cooked"])
def test_ctrl_z_gives_the_shell_the_terminal_and_fg_brings_both_back(shell: "pexpect.spawn[str]", mode: str) -> None:
    lend(shell, mode)
    for _ in range(2):
        shell.send("\x1a")
        shell.expect("Stopped")
        shell.expect_exact("SHELL> ")
        shell.sendline("echo still $((40 + 2)) here")
        shell.expect("still 42 here")
        shell.expect_exact("SHELL> ")
        shell.sendline("fg")
        shell.expect_exact("lending.py")
        if mode == "raw":
            shell.expect("BACK RAW")
        shell.send("x" if mode == "raw" else "x\n")
        shell.expect("GOT x")
    shell.send("q" if mode == "raw" else "q\n")
    shell.expect("QUITS")
    shell.expect("LENT 7 OURS")
    shell.expect_exact("SHELL> ")
    shell.sendline("stty -a")
    shell.expect(r" icanon")


def test_in_the_background_it_stays_suspended_until_it_is_brought_back(shell: "pexpect.spawn[str]") -> None:
    lend(shell, "raw")
    shell.send("\x1a")
    shell.expect_exact("SHELL> ")
    shell.sendline("bg")
    shell.expect_exact("SHELL> ")
    shell.sendline("")
    shell.expect("Stopped")
    shell.sendline("fg")
    shell.expect("BACK RAW")
    shell.send("q")
    shell.expect("LENT 7 OURS")


def test_a_suspended_program_is_ended_too(shell: "pexpect.spawn[str]") -> None:
    lend(shell, "raw")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.sendline("kill %1; fg")
    shell.expect(r"LENT -15 OURS")


def test_without_a_shell_that_could_bring_it_back_it_goes_on_at_once(
    shell: "pexpect.spawn[str]", tmp_path: Path
) -> None:
    argv = [str(tmp_path / "lending.py"), "./program", "raw"]
    alone = pexpect.spawn(sys.executable, argv, cwd=str(tmp_path), encoding="utf-8", timeout=30)
    try:
        alone.expect("GROUP OWN")
        alone.send("\x1a")
        alone.expect("BACK RAW")
        alone.send("q")
        alone.expect("LENT 7 OURS")
    finally:
        alone.close(force=True)


def test_a_terminal_that_is_not_ours_is_left_as_it_is(tmp_path: Path) -> None:
    master, slave = os.openpty()
    command = Command((sys.executable, "-c", "import os, sys; sys.exit(os.getpgrp() == os.getpid())"), tmp_path, {})
    assert run_in_foreground(command, "mark", slave, lambda: False, 1) == 0
    os.close(master)
    os.close(slave)


def test_it_ends_when_it_is_over(tmp_path: Path) -> None:
    over = threading.Event()
    over.set()
    command = Command((sys.executable, "-c", "import time; time.sleep(60)"), tmp_path, {})
    assert run_in_foreground(command, "mark", 0, over.is_set, 5) == -signal.SIGTERM
