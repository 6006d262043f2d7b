"""The model that is served, and what was made of it when it changed."""

import logging
import threading
import time

from router.errors import ArtifactError, PolicyError
from router.model.predictor import Predictor
from router.model.registry import Marker, Registry

LOOK_AGAIN_S = 1.0
"""How often the registry is asked whether another version has been promoted, or a file of it changed."""
TRY_AGAIN_S = 5.0
"""How often a model that can't be loaded is tried again though nothing changed."""
_log = logging.getLogger("router")


class CurrentModel:
    """The version that the registry names; loaded anew when that changes. Failures to load never raise."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.predictor: Predictor | None = None
        """None where no model can be served."""
        self.problem: str | None = None
        """Why there is no model; None where there is one."""
        self.reloads = self.load_failures = 0
        """Times a model was loaded, or tried to be; and times it could not be."""
        self._marker: Marker = ()
        self._looked_at = self._loaded_at = float("-inf")
        self._loading = threading.Lock()
        self.reload()

    def reload(self) -> None:
        """Load the version that the registry names."""
        with self._loading:
            self._load(self.registry.marker())

    def look(self) -> None:
        """Load anew if another version was promoted or a file changed; asks at most once in `LOOK_AGAIN_S`."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN_S or not self._loading.acquire(blocking=False):
            return  # another thread is loading: its model serves from the next call on
        try:
            self._looked_at = time.monotonic()
            marker = self.registry.marker()
            failed_long_ago = self.predictor is None and self._looked_at - self._loaded_at >= TRY_AGAIN_S
            if marker != self._marker or failed_long_ago:
                self._load(marker)
        finally:
            self._loading.release()

    def _load(self, marker: Marker) -> None:
        self._looked_at = self._loaded_at = time.monotonic()
        self._marker = marker
        self.reloads += 1
        try:
            self.predictor, self.problem = Predictor(self.registry.load_current()), None
        except (ArtifactError, PolicyError, OSError) as error:
            self.predictor, self.problem = None, str(error)
            self.load_failures += 1
            _log.warning("no_model", extra={"problem": self.problem})
        else:
            _log.info("model_loaded", extra={"version": self.predictor.model.version})
