"""The new version's encoder: the served one kept, gone on from, or one fine-tuned afresh."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router.choice.policy import Policy
from router.labels import OUT_OF_SCOPE
from router.model.artifact import Model
from router.model.encoder import MODEL_FILE, TOKENIZER_FILE, OnnxEncoder
from training.errors import MissingPart, NotEnoughData
from training.finetune import Progress, Recipe, base_folder, finetune
from training.head import targets
from training.rows import Row
from training.taxonomy import Taxonomy, platform_of

PACKAGED, SERVED = "packaged", "served"
"""Words that `--base` takes besides a folder."""
REPLAYED_ROWS = 2400
"""Old rows mixed in when the served encoder is gone on from, so that it forgets nothing."""
NEW_ROW_WEIGHT = 3.0
"""How much more than an old row a new one counts then."""
HEAVIEST_ROW = 12.0
"""No row counts more than this: one step must not throw the encoder off."""
CONTINUED_EPOCHS = 2


@dataclass(frozen=True)
class Lesson:
    """What an encoder is fitted to."""

    rows: Sequence[Row]
    known: frozenset[str]
    """Texts that the served encoder has learnt already; going on from it needs only a sample of them."""
    taxonomy: Taxonomy
    policy: Policy
    recipe: Recipe


def copy_served(served: Model, folder: Path) -> OnnxEncoder:
    """Keep the served encoder: put its files into `folder`."""
    shutil.copyfile(served.encoder.model_path, folder / MODEL_FILE)
    shutil.copyfile(served.encoder.tokenizer_path, folder / TOKENIZER_FILE)
    return served.encoder


def fit_encoder(
    lesson: Lesson, base: str | None, served: Model | None, folder: Path, say: Callable[[str], None], progress: Progress
) -> tuple[OnnxEncoder, str]:
    """Fine-tune an encoder and put it into `folder`; returns it and how it came about.

    Args:
        lesson: what it is fitted to.
        base: `served`, `packaged`, or a folder of weights; None: the served encoder where there is one.
        served: the served model.
        folder: the new version's folder.
        say: told of each stage.
        progress: told of the steps.

    Raises:
        MissingPart: a library or the weights are not there.
        NotEnoughData: the served encoder knows every row.
    """
    from training.continuation import keep, served_base
    from training.export import export

    wanted = base or (SERVED if served else PACKAGED)
    if wanted == SERVED and served is None:
        raise MissingPart("a served encoder to go on from", "start with --base packaged")
    package = base_folder(None if wanted in {SERVED, PACKAGED} else wanted)
    lesson = continued(lesson) if wanted == SERVED else lesson
    start = served_base(served.encoder, package) if served and wanted == SERVED else nullcontext((package, ""))
    with start as (weights, held):
        origin = f"{served.version} ({held})" if served and held else wanted
        say(f"fine-tuning the encoder from {origin} on {len(lesson.rows)} rows ({lesson.recipe})")
        model = _fit(weights, lesson, progress)
        say("exporting it to ONNX int8")
        export(model, weights, folder)
    if problem := keep(model, folder / MODEL_FILE):
        say(problem)
    return OnnxEncoder(folder / MODEL_FILE, folder / TOKENIZER_FILE), f"finetune from {origin}, {lesson.recipe}"


def continued(lesson: Lesson) -> Lesson:
    """The new rows, weighing more, and a sample of the known ones; raises `NotEnoughData` where none is new."""
    new = [
        replace(row, weight=min(row.weight * NEW_ROW_WEIGHT, HEAVIEST_ROW))
        for row in lesson.rows
        if row.text not in lesson.known
    ]
    if not new:
        raise NotEnoughData(f"no row is new to the served encoder (`--base {PACKAGED}` starts a new one)")
    old = [row for row in lesson.rows if row.text in lesson.known]
    chosen = np.random.default_rng(lesson.recipe.seed).permutation(len(old))[:REPLAYED_ROWS]
    recipe = replace(lesson.recipe, epochs=min(CONTINUED_EPOCHS, lesson.recipe.epochs))
    return replace(lesson, rows=[*new, *(old[i] for i in sorted(chosen))], recipe=recipe)


def _fit(base: Path, lesson: Lesson, progress: Progress) -> object:
    names = lesson.taxonomy.names
    wanted = targets(lesson.rows, names).astype(np.float32)
    weights = np.array([row.weight for row in lesson.rows], dtype=np.float32)
    texts = [row.text for row in lesson.rows]
    return finetune(base, texts, wanted, _membership(lesson), weights, lesson.recipe, progress)


def _membership(lesson: Lesson) -> NDArray[np.float32]:
    """Shape (n_labels, n_groups): which platform each label belongs to; what is no task is a group of its own."""
    groups = [*lesson.policy.platforms, OUT_OF_SCOPE]
    result = np.zeros((len(lesson.taxonomy.names), len(groups)), dtype=np.float32)
    for index, label in enumerate(lesson.taxonomy.names):
        group = OUT_OF_SCOPE if label == OUT_OF_SCOPE else platform_of(lesson.policy, label)
        result[index, groups.index(group)] = 1
    return result
