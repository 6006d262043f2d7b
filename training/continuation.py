"""Weights to go on fine-tuning from: those the served encoder was made of, or its int8 ones made floats again."""

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from router.model.artifact import sha256
from router.model.encoder import OnnxEncoder
from training.errors import INSTALL, MissingPart

KEPT_ENCODERS = 2
"""Encoders whose weights are kept (90 MB each); the oldest go first."""
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
Floats = NDArray[np.float32]
_TURNED = "_Transposed"
_SEGMENTS = "embeddings.token_type_embeddings.weight"
_LAYER = re.compile(r"^layers\.(?P<number>\d+)\.(?P<part>\w+)\.(?P<kind>weight|bias)$")
_PARTS = {
    "out": "attention.output.dense", "out_norm": "attention.output.LayerNorm", "up": "intermediate.dense",
    "down": "output.dense", "norm": "output.LayerNorm",
}  # fmt: skip
_EMBEDDINGS = {
    "words.weight": "embeddings.word_embeddings.weight", "norm.weight": "embeddings.LayerNorm.weight",
    "norm.bias": "embeddings.LayerNorm.bias",
}  # fmt: skip


def kept_folder() -> Path:
    """Where weights of fine-tuned encoders are kept, each in a folder named by the digest of its `encoder.onnx`."""
    return user_cache_path("dual-orchestrator") / "encoders"


def keep(model: Any, onnx_path: Path) -> str | None:
    """Keep the weights of a sentence-transformers model that was exported to `onnx_path`; says what hindered it."""
    root = kept_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".saving-") as scratch:
            model.save(str(Path(scratch) / "model"))
            if not (root / sha256(onnx_path)).exists():
                (Path(scratch) / "model").replace(root / sha256(onnx_path))
        oldest = sorted(root.glob("[0-9a-f]*"), key=lambda folder: folder.stat().st_mtime)
        for folder in oldest[:-KEPT_ENCODERS]:
            shutil.rmtree(folder, ignore_errors=True)
    except (OSError, RuntimeError) as error:
        return f"the encoder's weights can't be kept in {root} ({error})"
    return None


@contextlib.contextmanager
def served_base(encoder: OnnxEncoder, package: Path) -> Iterator[tuple[Path, str]]:
    """A folder to fine-tune on from, and what it holds.

    Args:
        encoder: the served encoder.
        package: folder of the base model that it descends from: its configuration is taken.

    Raises:
        MissingPart: the served encoder is of another kind than the base model.
    """
    kept = kept_folder() / sha256(encoder.model_path)
    if (kept / WEIGHTS_FILE).is_file():
        yield kept, "its kept weights"
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "base"
        shutil.copytree(package, folder, ignore=shutil.ignore_patterns(WEIGHTS_FILE))
        _write_weights(encoder.model_path, package, folder)
        shutil.copyfile(encoder.tokenizer_path, folder / encoder.tokenizer_path.name)
        yield folder, "its int8 weights as floats"


def _write_weights(onnx_path: Path, package: Path, folder: Path) -> None:
    try:
        from safetensors.numpy import load_file, save_file
    except ImportError as error:
        raise MissingPart(str(error.name), INSTALL) from error
    base = load_file(package / WEIGHTS_FILE)
    heads = json.loads((package / CONFIG_FILE).read_text(encoding="utf-8"))["num_attention_heads"]
    found = _weights(onnx_path, base[_SEGMENTS], heads)
    wanted = {name: tensor for name, tensor in base.items() if tensor.dtype == np.float32 and "pooler" not in name}
    wrong = [name for name, tensor in wanted.items() if name not in found or found[name].shape != tensor.shape]
    if wrong:
        remedy = "name the weights with --base FOLDER, or start afresh with --base packaged"
        raise MissingPart(f"{wrong[0]} (and {len(wrong) - 1} more tensors) in the served encoder", remedy)
    save_file({**base, **{name: found[name] for name in wanted}}, folder / WEIGHTS_FILE, {"format": "pt"})


def _weights(onnx_path: Path, segments: Floats, heads: int) -> dict[str, Floats]:
    """Tensors of the exported encoder by their names in the base model: `training.export` undone.

    int8 ones come times their scale, and from the other side, as PyTorch multiplies. `segments` are the base model's
    embeddings of which sentence a token is in: their sum with the places was exported, and they are taken out again.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingPart(str(error.name), INSTALL) from error
    stored = {one.name: numpy_helper.to_array(one) for one in onnx.load(str(onnx_path)).graph.initializer}
    floats = {name: _floats(stored, name) for name in map(_whole, stored) if name}
    found = {_SEGMENTS: segments}
    for name, tensor in floats.items():
        layer = _LAYER.match(name)
        if layer and layer["part"] == "asked":
            found |= _asked(tensor, layer["number"], layer["kind"], heads)
        elif layer and layer["part"] in _PARTS:
            found[f"encoder.layer.{layer['number']}.{_PARTS[layer['part']]}.{layer['kind']}"] = tensor
        elif name == "places":
            found["embeddings.position_embeddings.weight"] = tensor - segments[0]
        elif name in _EMBEDDINGS:
            found[_EMBEDDINGS[name]] = tensor
    return found


def _asked(joined: Floats, number: str, kind: str, heads: int) -> dict[str, Floats]:
    """Query, key and value apart again; the query without the scale of the scores."""
    if len(joined) % (3 * heads):
        return {}
    size = len(joined) // (3 * heads)
    query, key, value = np.split(joined, 3)
    parts = {"query": query * np.float32(size**0.5), "key": key, "value": value}
    return {f"encoder.layer.{number}.attention.self.{name}.{kind}": np.ascontiguousarray(parts[name]) for name in parts}


def _whole(name: str) -> str:
    """The name of a tensor before quantisation made three of it; empty for its scale and zero point."""
    if name.endswith(("_scale", "_zero_point")):
        return ""
    return name.removesuffix(f"{_TURNED}_quantized").removesuffix("_quantized")


def _floats(stored: dict[str, NDArray[Any]], name: str) -> Floats:
    if name in stored:
        return stored[name].astype(np.float32)
    turned = f"{name}{_TURNED}_quantized" in stored
    inside = f"{name}{_TURNED}" if turned else name
    whole = stored[f"{inside}_quantized"].astype(np.float32) - stored[f"{inside}_zero_point"].astype(np.float32)
    result: Floats = whole * stored[f"{inside}_scale"].astype(np.float32)
    return np.ascontiguousarray(result.T) if turned else result
