"""`runner watch` follows a workflow that another process carries out."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import PARTS

RunCli = Callable[..., Any]
Cast = Callable[..., None]
RUNNER = [sys.executable, "-c", "from runner.cli import entry; entry()"]


@pytest.fixture
def begin(cast: Cast, repo: Path, environ: dict[str, str], tmp_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """A workflow under way elsewhere, whose first worker waits for the file `go`."""
    wait = f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    cast({"^coder-1": [{"say": "I begin."}, {"run": wait}, *PARTS["^coder-1"]]})
    argv = [*RUNNER, "coordinate", "--no-interactive", "--task", "Build the thing"]
    env, nothing = {**os.environ, **environ}, subprocess.DEVNULL
    popen = subprocess.Popen(argv, cwd=repo, env=env, stdin=nothing, stdout=nothing, stderr=nothing)
    while not (tmp_path / "begun").exists():
        assert popen.poll() is None
        threading.Event().wait(0.05)
    yield popen
    (tmp_path / "go").touch()
    popen.kill()
    popen.wait()


def watching(repo: Path, environ: dict[str, str]) -> "subprocess.Popen[str]":
    env, pipe = {**os.environ, **environ}, subprocess.PIPE
    return subprocess.Popen([*RUNNER, "watch"], cwd=repo, env=env, stdout=pipe, stderr=pipe, text=True)


def test_it_is_shown_live_to_its_end(
    begin: "subprocess.Popen[bytes]", repo: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    watch = watching(repo, environ)
    assert watch.stderr
    seen = ""
    while "coder-1: I begin." not in seen:  # while it waits
        line = watch.stderr.readline()
        assert line, seen
        seen += line
    (tmp_path / "go").touch()
    out, err = watch.communicate()
    assert (begin.wait(), watch.returncode) == (0, 0)
    assert "phase design: done" in seen
    assert "coder-1: The store is there." in err
    assert "coder-1: succeeded (completed)" in err
    assert "phase review: done" in err
    assert "✨ Dual workflow complete" in out


def test_one_that_nobody_carries_out_any_more_is_told(
    begin: "subprocess.Popen[bytes]", cli: RunCli, tmp_path: Path
) -> None:
    begin.kill()
    begin.wait()
    told = cli("watch")
    assert "nobody carries run" in told.stderr
    assert "any more; `runner resume 2" in told.stderr
    (tmp_path / "go").touch()
    assert cli("resume", told.stderr.rpartition("`runner resume ")[2].split("`")[0]).returncode == 0


def test_ctrl_c_stops_watching_and_not_the_run(
    begin: "subprocess.Popen[bytes]", repo: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    watch = watching(repo, environ)
    assert watch.stderr
    while "I begin." not in watch.stderr.readline():
        pass
    watch.send_signal(signal.SIGINT)
    assert "goes on; `runner watch" in watch.communicate()[1]
    (tmp_path / "go").touch()
    assert begin.wait() == 0
