"""A fine-tuned encoder as ONNX in int8 (the one door to `onnx` and onnxruntime's quantisation)."""

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from router.encoder import MODEL_FILE, TOKENIZER_FILE
from training.errors import MissingPart

OPSET = 17


def export(model: Any, base: Path, folder: Path) -> None:
    """Write `encoder.onnx` (int8 weights, scales per channel) and `tokenizer.json` into `folder`.

    Args:
        model: a sentence-transformers model with mean pooling.
        base: folder of the base model, for its tokenizer.
        folder: an existing folder.

    Raises:
        MissingPart: the extra `train` is not installed.
    """
    try:
        import torch
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingPart(str(error.name), "`pip install 'dual-orchestrator[train]'`") from error
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        ids = torch.tensor([[101, 2054, 2003, 102]])
        dynamic = {0: "batch", 1: "tokens"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the older exporter, whose graph is the one that quantises well
            torch.onnx.export(
                _pooled(torch, model), (ids, torch.ones_like(ids)), str(full), opset_version=OPSET, dynamo=False,
                input_names=["input_ids", "attention_mask"], output_names=["embedding"],
                dynamic_axes={"input_ids": dynamic, "attention_mask": dynamic, "embedding": {0: "batch"}},
            )  # fmt: skip
        quantize_dynamic(full, folder / MODEL_FILE, per_channel=True, weight_type=QuantType.QInt8)
    shutil.copyfile(base / TOKENIZER_FILE, folder / TOKENIZER_FILE)


def _pooled(torch: Any, model: Any) -> Any:
    class Pooled(torch.nn.Module):  # type: ignore[misc]
        """Token vectors to one unit vector: mean over the mask, then L2."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            tokens = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    return Pooled().eval()
