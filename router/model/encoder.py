"""Texts to vectors: the fine-tuned encoder, run by onnxruntime (the one door to it and to `tokenizers`)."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from router.errors import ArtifactError

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, at the import; else it would send, and keep an id in ~/.cache
import onnxruntime

WINDOW_TOKENS = 128
"""Most tokens the encoder sees of one text, its two special tokens included."""
HEAD_TOKENS = 80
"""Of a longer text: so many tokens from its head, the rest of the window from its tail, where asks hide."""
MODEL_FILE, TOKENIZER_FILE = "encoder.onnx", "tokenizer.json"


class WindowTokenizer:
    """Token ids of a text's window: all of a short text, head and tail of a long one."""

    def __init__(self, tokenizer: Tokenizer, window_tokens: int = WINDOW_TOKENS) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer = tokenizer
        self.window_tokens = window_tokens

    @classmethod
    def open(cls, path: Path) -> "WindowTokenizer":
        """Read a `tokenizer.json`."""
        return cls(Tokenizer.from_file(str(path)))

    def ids(self, text: str) -> list[int]:
        """Return at most `window_tokens` ids, special tokens included."""
        ids: list[int] = self.tokenizer.encode(self._clip(text)).ids
        if len(ids) <= self.window_tokens:
            return ids
        return ids[:HEAD_TOKENS] + ids[HEAD_TOKENS - self.window_tokens :]

    def _clip(self, text: str) -> str:
        # Tokenizing costs by length: no token of the window lies further than this from either end,
        # unless words are longer than 40 characters on average.
        reach = self.window_tokens * 40
        return text if len(text) <= 2 * reach else f"{text[:reach]} {text[-reach:]}"


class OnnxEncoder:
    """The encoder of a model folder; safe to share between threads."""

    def __init__(self, model_path: Path, tokenizer_path: Path) -> None:
        self.model_path, self.tokenizer_path = model_path, tokenizer_path
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            # From the path: from bytes it would keep a second copy of the model.
            self.session = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
            self.tokenizer = WindowTokenizer.open(tokenizer_path)
        except Exception as error:
            raise ArtifactError(model_path.parent, f"the encoder can't be loaded ({error})") from error
        self.dimension: int = self.session.get_outputs()[0].shape[-1]

    def encode(self, text: str) -> NDArray[np.float32]:
        """Return shape (dimension,), L2 norm 1.

        One text at a time: int8 activations are scaled by batch, so a neighbour would change the vector.

        Raises:
            ArtifactError: the encoder fails at it.
        """
        ids = np.array([self.tokenizer.ids(text)], dtype=np.int64)
        try:
            (vectors,) = self.session.run(None, {"input_ids": ids})
        except Exception as error:
            raise ArtifactError(self.model_path.parent, f"the encoder failed ({error})") from error
        vector: NDArray[np.float32] = vectors[0]
        return vector
