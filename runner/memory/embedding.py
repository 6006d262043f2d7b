"""Texts to vectors with the router's encoder: the one door to the router's internals, opened at the first use."""

import logging
import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_log = logging.getLogger("runner.memory")


class Embedder(Protocol):
    """Anything that turns texts into vectors of length one."""

    name: str
    """Vectors of different names can't be compared."""
    dimension: int

    def encode(self, text: str) -> NDArray[np.float32]:
        """Return shape (dimension,), L2 norm 1."""
        ...


class RouterEncoder:
    """The encoder of the router's served model."""

    def __init__(self) -> None:
        """Load it; raises `LookupError` where there is none."""
        from router.errors import RouterError
        from router.model.artifact import read_manifest
        from router.model.encoder import MODEL_FILE, TOKENIZER_FILE, OnnxEncoder
        from router.model.registry import Registry
        from router.settings import Settings

        try:
            registry = Registry.of(Settings())
            folder = registry.folder(registry.current() or "")
            self.name = read_manifest(folder).files[MODEL_FILE][:32]
            self._encoder = OnnxEncoder(folder / MODEL_FILE, folder / TOKENIZER_FILE)
        except (RouterError, OSError, KeyError, ValueError) as error:
            raise LookupError(str(error)) from error
        self.dimension = self._encoder.dimension

    def encode(self, text: str) -> NDArray[np.float32]:
        """Return shape (dimension,), L2 norm 1."""
        return self._encoder.encode(text)


class LazyEmbedder:
    """Loads the router's encoder once, when it is first asked for."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._loading = threading.Lock()
        self._loaded = False
        self._embedder: Embedder | None = None

    def __call__(self) -> Embedder | None:
        """Return the encoder, or None where there is none: then words alone find entries."""
        with self._loading:
            if not self._loaded:
                self._loaded = True
                try:
                    self._embedder = RouterEncoder()
                except LookupError as error:
                    _log.warning("memory is searched without an encoder: %s", error)
            return self._embedder
