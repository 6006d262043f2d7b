"""A models folder to train in, and a few rows of the seed data."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from router.model.registry import CURRENT_FILE, Registry
from training.cli import entry

DATA = Path(__file__).parents[2] / "data"
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole run: it holds nothing but what would be computed again."""
    return tmp_path_factory.mktemp("cache-home")


@pytest.fixture(autouse=True)
def _own_cache(cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))


@pytest.fixture
def models(shipped_models: Path, tmp_path: Path) -> Registry:
    """A copy of the shipped version."""
    version = (shipped_models / CURRENT_FILE).read_text().strip()
    shutil.copytree(shipped_models / version, tmp_path / "models" / version)
    shutil.copyfile(shipped_models / CURRENT_FILE, tmp_path / "models" / CURRENT_FILE)
    return Registry(tmp_path / "models")


def few_rows(per_type: int = 25) -> list[dict[str, str]]:
    """So many seed rows of each type."""
    counts: Counter[str] = Counter()
    rows = []
    for name in ("seed_tasks.jsonl", "out_of_scope.jsonl"):
        for line in (DATA / name).read_text().splitlines():
            row = json.loads(line)
            if counts[row["task_type"]] < per_type:
                counts[row["task_type"]] += 1
                rows.append({"text": row["text"], "task_type": row["task_type"]})
    return rows


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    """A small data file."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in few_rows()))
    return path


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, models: Registry) -> Typed:
    """Runs `train-router` on the copied models; exit code, stdout and stderr."""
    monkeypatch.setenv("ROUTER_MODELS_DIR", str(models.root))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["train-router", *words])
        with pytest.raises(SystemExit) as ended:
            entry()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
