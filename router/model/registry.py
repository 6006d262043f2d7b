"""The folder of model versions, and which of them is served."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import ArtifactError
from router.model.artifact import MANIFEST_FILE, POLICY_FILE, VOUCHED, Manifest, Model, load, read_manifest
from router.model.signature import SIGNATURE_FILE, sign

if TYPE_CHECKING:
    from router.settings import Settings

CURRENT_FILE = "current"
"""Names the served version: a text file, since neither wheels nor every file system carry links."""


WATCHED = (MANIFEST_FILE, SIGNATURE_FILE, POLICY_FILE, *VOUCHED)
"""Files of a version that are looked at again while it is served."""
Marker = tuple[tuple[int, int, int] | None, ...]
"""Time, size and number of each file; None for one that is not there."""


@dataclass(frozen=True)
class Registry:
    """Versions under `root`, over the read-only ones that came with the program."""

    root: Path
    shipped: Path | None = None
    key: bytes | None = None
    """Only versions whose manifest is signed with it are loaded; None asks for no signature."""

    @classmethod
    def of(cls, settings: "Settings") -> "Registry":
        """The registry that the settings name."""
        key = settings.manifest_key
        return cls(*settings.models(), key.get_secret_value().encode() if key else None)

    def current(self) -> str | None:
        """The version served; None where there is none."""
        for folder in self._folders():
            try:
                name = (folder / CURRENT_FILE).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                continue
            if name:
                return name
        return None

    def folder(self, version: str) -> Path:
        """The folder of a version; raises `ArtifactError` where there is none."""
        for folder in self._folders():
            if Path(version).name == version and (folder / version / MANIFEST_FILE).is_file():
                return folder / version
        raise ArtifactError(self.root / version, "there is no such version; `train-router list` shows them")

    def load_current(self) -> Model:
        """Load the version served; raises `ArtifactError`."""
        version = self.current()
        if version is None:
            raise ArtifactError(self.root, "holds no model")
        return load(self.folder(version), self.key)

    def versions(self) -> list[Manifest]:
        """Every version whose manifest can be read, oldest first."""
        found: dict[str, Manifest] = {}
        for folder in self._folders():
            for path in sorted(folder.glob(f"*/{MANIFEST_FILE}")):
                try:
                    manifest = read_manifest(path.parent)
                except ArtifactError:
                    continue
                found.setdefault(manifest.version, manifest)
        return sorted(found.values(), key=lambda manifest: (manifest.created_at, manifest.version))

    def promote(self, version: str) -> None:
        """Serve `version` from now on. Atomic: killed at any moment, the old or the new one is served.

        Raises:
            ArtifactError: there is no such version, or it can't be loaded.
        """
        load(self.folder(version), self.key)
        handle, name = tempfile.mkstemp(dir=self._writable(), prefix=".current-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(version + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(self.root / CURRENT_FILE)

    def sign(self, version: str | None = None) -> str:
        """Sign a version's manifest (None: the served one's) with `key`; returns the version.

        Raises:
            ArtifactError: there is no such version, or no key.
        """
        folder = self.folder(version or self.current() or "")
        if self.key is None:
            raise ArtifactError(folder, "can't be signed without ROUTER_MANIFEST_KEY")
        sign(folder, (folder / MANIFEST_FILE).read_bytes(), self.key)
        return folder.name

    @contextmanager
    def staging(self, version: str) -> Iterator[Path]:
        """A folder to build a version in; it appears under its name once complete, or not at all."""
        folder = Path(tempfile.mkdtemp(dir=self._writable(), prefix=".building-"))
        try:
            yield folder
            folder.chmod(0o755)
            folder.replace(self.root / version)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def marker(self) -> Marker:
        """Changes whenever another version is promoted, or a file of the served one changes."""
        version = self.current()
        paths = [folder / CURRENT_FILE for folder in self._folders()]
        paths += [folder / version / name for folder in self._folders() for name in WATCHED if version]
        return tuple(_stamp(path) for path in paths)

    def _folders(self) -> list[Path]:
        return [self.root, self.shipped] if self.shipped else [self.root]

    def _writable(self) -> Path:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArtifactError(self.root, f"can't be written ({error.strerror})") from error
        return self.root


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
