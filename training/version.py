"""What a version's folder is given besides encoder and classifier: policy, examples, manifest; and no leftovers."""

import os
import platform as machine
import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import yaml

from router.choice.policy import SHIPPED as SHIPPED_POLICY
from router.choice.policy import Policy
from router.labels import OUT_OF_SCOPE
from router.model.artifact import POLICY_FILE, Manifest, Model
from router.model.examples import Examples
from training import rows as rows_module
from training.findings import Findings, Question
from training.head import Head
from training.rows import Row
from training.taxonomy import Taxonomy

KEPT_EXAMPLES = 2000
LONGEST_EXAMPLE = 400
"""Longer texts make no example that anyone would read, in characters."""
LEFTOVER_AGE_S = 24 * 3600
"""What a killed run was building is removed once it is so old."""
LIBRARIES = ("numpy", "scikit-learn", "onnxruntime", "tokenizers", "joblib")


def new_name(root: Path, rows: Sequence[Row]) -> str:
    """A name for a version of `rows` that none in `root` has: when it was made, and the beginning of their digest."""
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{rows_module.digest(rows)[:8]}"
    others = sum(1 for _ in root.glob(f"{name}*"))
    return f"{name}-{others + 1}" if others else name


def write_policy(folder: Path, taxonomy: Taxonomy, served: Model | None) -> Policy:
    """Write the served policy (or the shipped one), with the taxonomy's own platforms; returns it."""
    source = served.encoder.model_path.parent / POLICY_FILE if served else SHIPPED_POLICY
    text = source.read_text(encoding="utf-8")
    policy = Policy.parse(text, str(source))
    if taxonomy.platforms:
        policy = taxonomy.policy(policy)
        text = yaml.safe_dump(policy.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (folder / POLICY_FILE).write_text(text, encoding="utf-8")
    return policy


def examples(head: Head, seed: int) -> Examples:
    """The examples that decisions will be shown beside."""
    short = [i for i, row in enumerate(head.rows) if len(row.text) <= LONGEST_EXAMPLE and row.task_type != OUT_OF_SCOPE]
    chosen = np.random.default_rng(seed).permutation(short)[:KEPT_EXAMPLES].astype(int)
    rows = [head.rows[i] for i in chosen]
    return Examples.of([row.text for row in rows], [str(row.task_type) for row in rows], head.vectors[chosen])


def manifest_of(
    version: str, question: Question, findings: Findings, made: str, champion: Model | None, golden: Sequence[Row]
) -> Manifest:
    """The manifest, without the files' digests. `made` says how the encoder came about."""
    return Manifest(
        version=version,
        created_at=datetime.now(UTC),
        parent=champion.version if champion else None,
        labels=question.taxonomy.names,
        files={},
        data_digest=rows_module.digest(question.rows),
        golden_digest=rows_module.digest(golden) if golden else None,
        rows=len(question.rows) + len(question.evidence),
        seed=question.seed,
        encoder=made,
        scores=findings.scores(),
        libraries={"python": machine.python_version(), **{name: metadata.version(name) for name in LIBRARIES}},
    )


def best_of_line(versions: Sequence[Manifest], served: str | None, golden: Sequence[Row]) -> float | None:
    """Best platform accuracy of the served version and its ancestors on this golden set; None where none is known."""
    by_name = {one.version: one for one in versions}
    wanted, found = rows_module.digest(golden), list[float]()
    while (one := by_name.pop(served or "", None)) is not None:
        score = one.scores.get("platform_accuracy")
        if golden and one.golden_digest == wanted and isinstance(score, float):
            found.append(score)
        served = one.parent
    return max(found, default=None)


def flush(folder: Path) -> None:
    """Bring a folder's files to the disk: a version must not be promoted and then lost with the power."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(root: Path) -> None:
    """Remove what runs that were killed long ago left behind."""
    for path in (*root.glob(".building-*"), *root.glob(".current-*")):
        if time.time() - path.stat().st_mtime > LEFTOVER_AGE_S:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
