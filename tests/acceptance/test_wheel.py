"""A wheel built from the repository, in an environment that knows nothing of the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without touching the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its programs, in an environment of its own; dependencies are borrowed from ours."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--no-deps", "--quiet"]
    subprocess.run([*pip, str(wheel)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return home / "bin"


def run(program: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, cwd="/", env=clean)


def test_the_wheel_carries_the_served_version_and_the_seed_data_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    served = (ROOT / "models" / "current").read_text().strip()
    assert f"router/shipped/{served}/encoder.onnx" in names
    assert len([name for name in names if name.endswith("encoder.onnx")]) == 1
    assert "training/shipped/seed_tasks.jsonl" in names
    assert "runner/install/plugin/.claude-plugin/plugin.json" in names
    assert "runner/install/plugin/hooks/suggest-route.sh" in names
    assert wheel.stat().st_size < 35e6


def test_an_installed_router_routes_with_the_model(installed: Path) -> None:
    ended = run(installed / "router", "route", "--json", "why does the login test fail only in CI?")
    assert ended.returncode == 0, ended.stderr
    decision = json.loads(ended.stdout)
    assert (decision["platform"], decision["source"]) == ("claude-code", "model")


def test_the_other_programs_work_as_well(installed: Path) -> None:
    listed = run(installed / "train-router", "list")
    assert listed.stdout.startswith("* ")
    examined = run(installed / "runner", "doctor")
    assert "Traceback" not in examined.stderr
    assert "git" in examined.stdout
    assert run(installed / "router", "doctor").returncode == 0
