"""Killed, interrupted, or out of disk: the served model stays, and what is half made is never served."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from router.model.registry import Registry
from training.version import LEFTOVER_AGE_S, sweep

ENTRY = "from training.cli import entry; entry()"
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + ENTRY
"""A test runner in the background may have been started with Ctrl-C ignored."""
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); " + ENTRY


def start(models: Registry, data: Path, program: str = ENTRY) -> subprocess.Popen[str]:
    words = ["--data", str(data), "--models-dir", str(models.root), "--journal", "none", "--promote", "force"]
    command = [sys.executable, "-c", program, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def until(process: subprocess.Popen[str], word: str) -> None:
    """Read the progress until it says `word`."""
    assert process.stderr is not None
    assert any(word in line for line in process.stderr), f"never said {word!r}"


@pytest.mark.parametrize("stage", ["encoding", "fitting", "judging", "report"])
def test_killed_at_any_stage_the_old_version_is_served(models: Registry, data_file: Path, stage: str) -> None:
    before = models.current()
    with start(models, data_file) as process:
        until(process, stage)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert models.current() == before
    assert models.load_current().version == before
    assert [m.version for m in models.versions()] == [before]


def test_killed_while_promoting_either_version_is_served_whole(models: Registry, data_file: Path) -> None:
    with start(models, data_file) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    both = {manifest.version for manifest in models.versions()}
    assert len(both) == 2
    program = (
        "import itertools, sys; from pathlib import Path; from router.model.registry import Registry\n"
        "registry = Registry(Path(sys.argv[1]))\n"
        "for turn, version in enumerate(itertools.cycle(sys.argv[2:])):\n"
        "    registry.promote(version); print(turn, file=sys.stderr, flush=True)"
    )
    for turns in range(1, 6):
        command = [sys.executable, "-c", program, str(models.root), *sorted(both)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as promoting:
            until(promoting, str(turns))
            promoting.kill()
            promoting.communicate()
        assert models.current() in both
        assert models.load_current().version == models.current()


def test_interrupted_it_says_so_and_leaves_nothing_behind(models: Registry, data_file: Path) -> None:
    before = sorted(path.name for path in models.root.iterdir())
    with start(models, data_file, LISTENING) as process:
        until(process, "encoding")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert "the served model is untouched" in said
    assert sorted(path.name for path in models.root.iterdir()) == before


def test_on_a_full_disk_it_says_so_and_the_served_model_stays(models: Registry, data_file: Path) -> None:
    """No file may grow past 2 MB, so that the encoder can't be written."""
    before = sorted(path.name for path in models.root.iterdir())
    with start(models, data_file, LIMITED.format(2_000_000)) as process:
        _, said = process.communicate()
    assert process.returncode == 1, said
    assert "File too large; the served model is untouched" in said
    assert sorted(path.name for path in models.root.iterdir()) == before


def test_what_was_killed_long_ago_is_swept_away_and_nothing_younger(tmp_path: Path) -> None:
    for name in (".building-old", ".building-young"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "encoder.onnx").write_text("half")
    (tmp_path / ".current-old").write_text("x")
    long_ago = time.time() - LEFTOVER_AGE_S - 60
    for name in (".building-old", ".current-old"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".building-young"]
    sweep(tmp_path / "nowhere")
