"""The training job: rows in, a judged version out."""

import platform as machine
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.artifact import POLICY_FILE, Manifest, Model, dump_classifier, load, write_manifest
from router.encoder import MODEL_FILE, TOKENIZER_FILE, OnnxEncoder
from router.errors import ArtifactError
from router.examples import Examples
from router.labels import OUT_OF_SCOPE
from router.policy import SHIPPED, Policy
from router.registry import Registry
from training import rows as rows_module
from training.errors import NotEnoughData
from training.evaluate import Judged, judge, scores
from training.evidence import Evidence
from training.finetune import Progress, Recipe, base_folder, finetune
from training.gate import Verdict, compare
from training.head import Head, fit, predictor, predictor_of, targets
from training.rows import LABELS, Row
from training.split import Split, split

KEPT_EXAMPLES = 2000
FEWEST_ROWS = 20
LIBRARIES = ("numpy", "scikit-learn", "onnxruntime", "tokenizers", "joblib")


@dataclass(frozen=True)
class Job:
    """What to train."""

    rows: Sequence[Row]
    golden: Sequence[Row] = ()
    """Judged on, never learnt from."""
    evidence: Sequence[Evidence] = ()
    encoder: str = "frozen"
    """`frozen` keeps the served encoder; `finetune` fits one to the rows."""
    base: str | None = None
    """Folder of the base weights to fine-tune; None: the packaged all-MiniLM-L6-v2."""
    labels: Sequence[str] = LABELS
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True)
class Trained:
    """A new version and how it did."""

    manifest: Manifest
    folder: Path
    judged: list[Judged]
    champion: list[Judged] | None
    verdict: Verdict
    parts: Split


def train(job: Job, registry: Registry, say: Callable[[str], None], progress: Progress) -> Trained:
    """Train, judge on the held-out rows, and write a version; promotes nothing.

    Args:
        job: what to train.
        registry: where the version goes, and where the champion lies.
        say: told of each stage, in a few words.
        progress: told of fine-tuning's progress.

    Raises:
        NotEnoughData: too few rows or classes.
        MissingPart: fine-tuning lacks a library or the base weights.
        ArtifactError: there is no served encoder to keep, or the folder can't be written.
    """
    champion = _champion(registry)
    parts = split(job.rows, job.golden)
    _check(parts)
    version = _version(job)
    with registry.staging(version) as folder:
        encoder, made = _encoder(job, parts, champion, folder, say, progress)
        say(f"encoding {len(parts.train) + len(parts.calibration)} rows")
        policy = champion.policy if champion else Policy.open(SHIPPED)
        head = fit(parts.train, parts.calibration, job.evidence, encoder, job.labels, policy, job.recipe.seed)
        say(f"judging on {len(parts.held_out)} held-out rows")
        judged = judge(parts.held_out, predictor(encoder, head.classifier), policy)
        against = judge(parts.held_out, predictor_of(champion), champion.policy) if champion else None
        dump_classifier(folder, head.classifier, _examples(head, job.recipe.seed))
        _write_policy(folder, champion, registry)
        manifest = write_manifest(folder, _manifest(job, version, champion, made, scores(judged)))
        load(folder)
    return Trained(manifest, registry.root / version, judged, against, compare(judged, against), parts)


def _champion(registry: Registry) -> Model | None:
    try:
        return registry.load_current()
    except ArtifactError:
        return None


def _check(parts: Split) -> None:
    classes = {row.task_type for row in parts.train} - {None}
    if len(parts.train) < FEWEST_ROWS or len(classes) < 2:
        raise NotEnoughData(f"{len(parts.train)} rows of {len(classes)} classes are too little to learn from")
    if not parts.held_out:
        raise NotEnoughData("no row is left to judge the model on")


def _encoder(
    job: Job, parts: Split, champion: Model | None, folder: Path, say: Callable[[str], None], progress: Progress
) -> tuple[OnnxEncoder, str]:
    """Put an encoder into `folder`; returns it and how it came about."""
    if job.encoder == "frozen":
        if champion is None:
            raise ArtifactError(folder.parent, "holds no encoder to keep; use `--encoder finetune`")
        (folder / MODEL_FILE).write_bytes(champion.encoder.model_path.read_bytes())
        (folder / TOKENIZER_FILE).write_bytes(champion.encoder.tokenizer_path.read_bytes())
        return champion.encoder, f"frozen from {champion.version}"
    from training.export import export

    base = base_folder(job.base)
    learnt = [row for row in parts.train if row.distribution()]
    say(f"fine-tuning the encoder on {len(learnt)} rows ({job.recipe})")
    wanted = targets(learnt, job.labels).astype(np.float32)
    weights = np.array([row.weight for row in learnt], dtype=np.float32)
    texts = [row.text for row in learnt]
    model = finetune(base, texts, wanted, _membership(job.labels), job.recipe, progress, weights)
    say("exporting it to ONNX int8")
    export(model, base, folder)
    return OnnxEncoder(folder / MODEL_FILE, folder / TOKENIZER_FILE), f"finetune {job.recipe}"


def _membership(labels: Sequence[str]) -> NDArray[np.float32]:
    """Shape (n_labels, n_groups): which platform of the shipped policy each label belongs to."""
    policy = Policy.open(SHIPPED)
    names = [*policy.platforms, OUT_OF_SCOPE]
    result = np.zeros((len(labels), len(names)), dtype=np.float32)
    for index, label in enumerate(labels):
        row = policy.task_types.get(label)
        result[index, names.index(row.platform if row else OUT_OF_SCOPE)] = 1
    return result


def _examples(head: Head, seed: int) -> Examples:
    short = [i for i, row in enumerate(head.rows) if len(row.text) <= 400 and row.task_type != OUT_OF_SCOPE]
    chosen = np.random.default_rng(seed).permutation(short)[:KEPT_EXAMPLES]
    rows = [head.rows[i] for i in chosen]
    return Examples.of([row.text for row in rows], [str(row.task_type) for row in rows], head.vectors[chosen])


def _write_policy(folder: Path, champion: Model | None, registry: Registry) -> None:
    source = registry.folder(champion.version) / POLICY_FILE if champion else SHIPPED
    (folder / POLICY_FILE).write_bytes(source.read_bytes())


def _version(job: Job) -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{rows_module.digest(job.rows)[:8]}"


def _manifest(job: Job, version: str, champion: Model | None, made: str, found: dict[str, Any]) -> Manifest:
    return Manifest(
        version=version,
        created_at=datetime.now(UTC),
        parent=champion.version if champion else None,
        labels=tuple(job.labels),
        files={},
        data_digest=rows_module.digest(job.rows),
        rows=len(job.rows) + len(job.evidence),
        seed=job.recipe.seed,
        encoder=made,
        scores=found,
        libraries={"python": machine.python_version(), **{name: metadata.version(name) for name in LIBRARIES}},
    )
