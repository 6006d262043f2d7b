"""A models folder to train in, and a few rows of the seed data."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from router.registry import CURRENT_FILE, Registry

DATA = Path(__file__).parents[2] / "data"


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
