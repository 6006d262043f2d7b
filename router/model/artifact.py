"""A model folder: what lies in it, and loading it only where every digest agrees (the one door to joblib)."""

import hashlib
import io
import pickle
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import joblib
from pydantic import BaseModel, ConfigDict, ValidationError

from router.choice.policy import Policy
from router.errors import ArtifactError
from router.model.classifier import LinearClassifier
from router.model.encoder import MODEL_FILE, TOKENIZER_FILE, OnnxEncoder
from router.model.examples import Examples
from router.model.signature import verify

MANIFEST_FILE, CLASSIFIER_FILE, POLICY_FILE = "manifest.json", "model.joblib", "policy.yaml"
VOUCHED = (CLASSIFIER_FILE, MODEL_FILE, TOKENIZER_FILE)
"""Files that must match the manifest. The policy is not among them: it is there to be edited."""
FORMAT = 2
"""Goes up whenever the pickle's classes move or change."""


class Manifest(BaseModel):
    """`manifest.json`: what the folder holds and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    format: int = FORMAT
    version: str
    created_at: datetime
    parent: str | None = None
    """The version it was trained from or compared with."""
    labels: tuple[str, ...]
    files: dict[str, str]
    """File name → SHA-256."""
    data_digest: str
    """SHA-256 over the training rows."""
    golden_digest: str | None = None
    """SHA-256 over the golden rows it was judged on; None where it was judged on a part of its own data."""
    rows: int
    seed: int
    encoder: str
    """How the encoder came about: `finetune …`, or `frozen from <version>`."""
    scores: dict[str, Any]
    """Scores on the held-out split; names as in `train-router eval --json`."""
    libraries: dict[str, str]


@dataclass(frozen=True)
class Model:
    """A loaded model folder."""

    manifest: Manifest
    encoder: OnnxEncoder
    classifier: LinearClassifier
    examples: Examples
    policy: Policy

    @property
    def version(self) -> str:
        """The folder's version."""
        return self.manifest.version


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read and check a folder's manifest; raises `ArtifactError`."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
    except OSError as error:
        raise ArtifactError(folder, f"has no readable {MANIFEST_FILE}") from error
    except ValidationError as error:
        raise ArtifactError(folder, f"{MANIFEST_FILE} is not a manifest") from error
    if manifest.format != FORMAT:
        remedy = "upgrade it" if manifest.format > FORMAT else "train again with `train-router --encoder finetune`"
        raise ArtifactError(folder, f"has format {manifest.format}, this program reads {FORMAT}; {remedy}")
    return manifest


def load(folder: Path, key: bytes | None = None) -> Model:
    """Load a model folder; with a `key` only if its manifest is signed with it.

    Raises:
        ArtifactError: a file is missing or differs from the manifest; nothing was unpickled then.
        PolicyError: the policy is wrong.
    """
    manifest = read_manifest(folder)
    if key is not None:
        verify(folder, (folder / MANIFEST_FILE).read_bytes(), key)
    for name in (MODEL_FILE, TOKENIZER_FILE):
        _check(folder, name, manifest, _digest(folder, name))
    pickled = _read(folder, CLASSIFIER_FILE)  # once: what is unpickled is what was checked
    _check(folder, CLASSIFIER_FILE, manifest, hashlib.sha256(pickled).hexdigest())
    try:
        parts = joblib.load(io.BytesIO(pickled))
        classifier, examples = parts["classifier"], parts["examples"]
    except (
        pickle.UnpicklingError,
        AttributeError,
        ImportError,
        KeyError,
        TypeError,
        EOFError,
        ValueError,
    ) as error:
        raise ArtifactError(folder, f"{CLASSIFIER_FILE} can't be read by this version ({error})") from error
    policy = Policy.open(folder / POLICY_FILE)
    encoder = OnnxEncoder(folder / MODEL_FILE, folder / TOKENIZER_FILE)
    return Model(manifest, encoder, classifier, examples, policy)


def dump_classifier(folder: Path, classifier: LinearClassifier, examples: Examples) -> None:
    """Write `model.joblib`."""
    joblib.dump({"classifier": classifier, "examples": examples}, folder / CLASSIFIER_FILE, compress=3)


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write `manifest.json` with the digest of every other file in the folder; returns what was written."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    full = manifest.model_copy(update={"files": {name: sha256(folder / name) for name in names}})
    (folder / MANIFEST_FILE).write_text(full.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return full


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ArtifactError(folder, f"{name} is missing") from error


def _digest(folder: Path, name: str) -> str:
    try:
        return sha256(folder / name)
    except OSError as error:
        raise ArtifactError(folder, f"{name} is missing") from error


def _check(folder: Path, name: str, manifest: Manifest, digest: str) -> None:
    if digest != manifest.files.get(name):
        raise ArtifactError(folder, f"{name} is not the file its manifest vouches for; it was not opened")
