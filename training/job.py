"""The training job: rows in, a judged version out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from router.choice.policy import Policy
from router.errors import ArtifactError
from router.model.artifact import MANIFEST_FILE, Manifest, Model, dump_classifier, load, write_manifest
from router.model.encoder import OnnxEncoder
from router.model.registry import Registry
from router.model.signature import sign
from training.encoders import Lesson, copy_served, fit_encoder
from training.errors import DataError, NotEnoughData
from training.evidence import Evidence, as_rows
from training.findings import Findings, Question, find, learning_curve
from training.finetune import Progress, Recipe
from training.head import Head, fit, fittest_c, predictor_of
from training.rows import Row
from training.split import Split, split
from training.taxonomy import SHIPPED, Taxonomy
from training.vectors import TextVectors, VectorStore
from training.version import best_of_line, examples, flush, manifest_of, new_name, sweep, write_policy

FEWEST_ROWS = 20
STRENGTHS = (1.0, 0.5, 0.25)
"""Shares of its weight that evidence is given in turn, until the gate lets the candidate pass."""


@dataclass(frozen=True)
class Job:
    """What to train."""

    rows: Sequence[Row]
    golden: Sequence[Row] = ()
    """Judged on, never learnt from."""
    evidence: Sequence[Evidence] = ()
    known: Sequence[Row] = ()
    """Rows that the served encoder has learnt; a sample of them is replayed when it is gone on from."""
    encoder: str = "frozen"
    """`frozen` keeps the served encoder; `finetune` fits one to the rows."""
    base: str | None = None
    """Where fine-tuning starts: `served`, `packaged`, a folder; None: the served encoder where there is one."""
    taxonomy: Taxonomy = SHIPPED
    lender: Model | None = None
    """Whose encoder and policy are taken where nothing is served yet."""
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True)
class Trained:
    """A new version and how it did."""

    manifest: Manifest
    folder: Path
    findings: Findings


def train(job: Job, registry: Registry, say: Callable[[str], None], progress: Progress) -> Trained:
    """Train, judge on the held-out rows, and write a version with its report; promotes nothing.

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
    from training.report import write_report

    sweep(registry.root)
    champion = _champion(registry)
    parts = split(job.rows, job.golden)
    _check(parts)
    version = new_name(registry.root, job.rows)
    with registry.staging(version) as folder:
        policy = write_policy(folder, job.taxonomy, champion or job.lender)
        _check_platforms(parts, policy)
        encoder, made = _encoder(job, parts, champion, policy, folder, say, progress)
        vectors = TextVectors(encoder, VectorStore())
        question = Question(
            job.rows, job.evidence, parts, job.taxonomy, policy, job.recipe.seed,
            best_of_line(registry.versions(), registry.current(), job.golden),
        )  # fmt: skip
        head, findings = _learn(question, vectors, champion, say)
        dump_classifier(folder, head.classifier, examples(head, job.recipe.seed))
        manifest = manifest_of(version, question, findings, made, champion, job.golden)
        say("writing the report")
        write_report(folder, manifest, findings)
        manifest = _seal(folder, manifest, registry.key)
    return Trained(manifest, registry.root / version, findings)


def _seal(folder: Path, manifest: Manifest, key: bytes | None) -> Manifest:
    """Put the files' digests into the manifest, sign it where there is a key, and see that the version loads."""
    complete = write_manifest(folder, manifest)
    if key is not None:
        sign(folder, (folder / MANIFEST_FILE).read_bytes(), key)
    load(folder, key)
    flush(folder)
    return complete


def _champion(registry: Registry) -> Model | None:
    try:
        return registry.load_current()
    except ArtifactError:
        return None


def _check(parts: Split) -> None:
    rows = [*parts.train, *parts.calibration]
    classes = {row.task_type for row in parts.train} - {None}
    if len(parts.train) < FEWEST_ROWS or len(classes) < 2:
        left = f"{len(parts.train)} of them left to learn from, with {len(classes)} different label(s)"
        raise NotEnoughData(f"{len(rows)} rows, {left}: needed are {FEWEST_ROWS} with 2")
    if not parts.held_out:
        raise NotEnoughData("no row is left to judge the model on")


def _check_platforms(parts: Split, policy: Policy) -> None:
    rows = [*parts.train, *parts.calibration, *parts.held_out]
    for row in rows:
        if row.platform is not None and row.platform not in policy.platforms:
            known = ", ".join(policy.platforms)
            raise DataError("the data", 0, f"{row.text[:60]!r}: {row.platform!r} is no platform; known are {known}")


def _encoder(
    job: Job, parts: Split, champion: Model | None, policy: Policy, folder: Path,
    say: Callable[[str], None], progress: Progress,
) -> tuple[OnnxEncoder, str]:  # fmt: skip
    """Put an encoder into `folder`; returns it and how it came about."""
    served = champion or job.lender
    if job.encoder == "frozen":
        if served is None:
            raise ArtifactError(folder.parent, "holds no encoder to keep; use `--encoder finetune`")
        return copy_served(served, folder), f"frozen from {served.version}"
    seen = {row.text for row in job.golden} | {row.text for row in parts.train}
    told = as_rows(job.evidence, predictor_of(served), policy) if served else []
    rows = [*parts.train, *told, *(row for row in job.known if row.text not in seen)]
    lesson = Lesson(
        [row for row in rows if row.distribution()], frozenset(row.text for row in job.known), job.taxonomy, policy,
        job.recipe,
    )  # fmt: skip
    return fit_encoder(lesson, job.base, served, folder, say, progress)


def _learn(
    question: Question, vectors: TextVectors, champion: Model | None, say: Callable[[str], None]
) -> tuple[Head, Findings]:
    """Fit and judge; where the gate refuses what the journal taught, once more with less weight on it."""
    parts, names, seed = question.parts, question.taxonomy.names, question.seed
    texts = [row.text for row in (*parts.train, *parts.calibration, *parts.held_out)]
    say(f"encoding {len(texts)} rows")
    vectors.encode_all(texts)
    if vectors.store and vectors.store.problem:
        say(f"vectors are not kept for the next time: {vectors.store.problem}")
    say(f"fitting the classifier ({vectors.encoded} rows were new to the encoder)")
    c = None if question.taxonomy is SHIPPED else fittest_c(parts.train, parts.calibration, vectors, names, seed)
    for strength in STRENGTHS:
        asked = question.weakened(strength)
        head = fit(parts.train, parts.calibration, asked.evidence, vectors, names, question.policy, seed, c=c)
        say(f"judging on {len(parts.held_out)} held-out rows")
        findings = find(asked, vectors, head, champion)
        comparable = question.evidence and findings.champion
        if findings.verdict.promote or not comparable or strength == STRENGTHS[-1]:
            break
        say(f"not good enough ({findings.verdict.reason}): once more with evidence at {strength / 2:g} of its weight")
    return head, replace(findings, curve=learning_curve(question, vectors, head.classifier.c))
