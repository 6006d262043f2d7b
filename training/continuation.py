"""Weights to go on fine-tuning from: those the served encoder was made of, or its int8 ones made floats again."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from router.artifact import sha256
from router.encoder import OnnxEncoder
from training.errors import MissingPart

KEPT_ENCODERS = 2
"""Encoders whose weights are kept (90 MB each); the oldest go first."""
INSTALL = "`pip install 'dual-orchestrator[train]'`, or use `--encoder frozen`"
WEIGHTS_FILE = "model.safetensors"
_LINEAR = re.compile(r"^/transformer/(?P<module>.+)/MatMul(_quant)?$")
_ROOT = "transformer."


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
    found = _weights(onnx_path)
    base = load_file(package / WEIGHTS_FILE)
    wanted = {name: tensor for name, tensor in base.items() if tensor.dtype == np.float32 and "pooler" not in name}
    wrong = [name for name, tensor in wanted.items() if name not in found or found[name].shape != tensor.shape]
    if wrong:
        remedy = "name the weights with --base FOLDER, or start afresh with --base packaged"
        raise MissingPart(f"{wrong[0]} (and {len(wrong) - 1} more tensors) in the served encoder", remedy)
    save_file({**base, **{name: found[name] for name in wanted}}, folder / WEIGHTS_FILE, {"format": "pt"})


def _weights(onnx_path: Path) -> dict[str, NDArray[np.float32]]:
    """Tensors of the exported transformer by their names in PyTorch, int8 ones times their scale."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingPart(str(error.name), INSTALL) from error
    graph = onnx.load(str(onnx_path)).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    names = {_stem(name) for name in stored if not name.endswith(("_scale", "_zero_point"))}
    found = {name.removeprefix(_ROOT): _floats(stored, name) for name in names if name.startswith(_ROOT)}
    for node in graph.node:
        match = _LINEAR.match(node.name)
        source = next((name for name in map(_stem, node.input) if name in names), None)
        if match and source:  # ONNX multiplies from the other side
            found[match["module"].replace("/", ".") + ".weight"] = np.ascontiguousarray(_floats(stored, source).T)
    return found


def _stem(name: str) -> str:
    """The name of a tensor before quantisation made three of it."""
    return name.removesuffix("_DequantizeLinear_Output").removesuffix("_quantized")


def _floats(stored: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    if name in stored:
        return stored[name].astype(np.float32)
    whole = stored[f"{name}_quantized"].astype(np.float32) - stored[f"{name}_zero_point"].astype(np.float32)
    result: NDArray[np.float32] = whole * stored[f"{name}_scale"].astype(np.float32)
    return result
