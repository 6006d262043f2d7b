"""An optional signature of a model's manifest, and through its digests of the whole folder.

HMAC-SHA256 with the key in `ROUTER_MANIFEST_KEY`: whoever can write the models folder but does not know the key
can't have a model of theirs unpickled.
"""

import hashlib
import hmac
from pathlib import Path

from router.errors import ArtifactError

SIGNATURE_FILE = "manifest.sig"


def sign(folder: Path, manifest: bytes, key: bytes) -> None:
    """Write the signature of `manifest` into its folder."""
    (folder / SIGNATURE_FILE).write_text(_signature(manifest, key) + "\n", encoding="ascii")


def verify(folder: Path, manifest: bytes, key: bytes) -> None:
    """Raise `ArtifactError` where the folder's signature is missing or is not by `key`."""
    try:
        found = (folder / SIGNATURE_FILE).read_bytes().strip()
    except OSError as error:
        raise ArtifactError(folder, "its manifest is not signed; `router sign` does it") from error
    if not hmac.compare_digest(found, _signature(manifest, key).encode()):
        raise ArtifactError(folder, "its manifest is not signed with ROUTER_MANIFEST_KEY; nothing was opened")


def _signature(manifest: bytes, key: bytes) -> str:
    return hmac.new(key, manifest, hashlib.sha256).hexdigest()
