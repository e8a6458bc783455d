"""Notes of what is being asked for right now, in the row store's own place: `asking/TARGET/NAME`, 32 bytes a row."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

import numpy as np

from triaxis.adapters.store.blobs import Blobs
from triaxis.domain.keys import Keys
from triaxis.errors import StoreDamaged

FOLDER = "asking"
KEY_BYTES = 32


class BlobAskings:
    """`ports.stores.Askings` over contents that never change."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def note(self, target: str, keys: Keys) -> str:
        """Notes rows under a new name."""
        name = f"asking-{secrets.token_hex(8)}"
        self._blobs.create(f"{_folder(target)}{name}", keys.words.astype(">u8").tobytes())
        return name

    def noted(self, target: str) -> Mapping[str, Keys]:
        """What is noted for a target, by name.

        Raises:
            StoreDamaged: for a content that is none of ours.
        """
        found: dict[str, Keys] = {}
        for path in self._blobs.names(_folder(target)):
            try:
                content = self._blobs.read(path)
            except FileNotFoundError:
                continue  # dropped since it was listed
            found[path.rpartition("/")[2]] = _keys(path, content)
        return found

    def drop(self, target: str, name: str) -> None:
        """Forgets a note."""
        self._blobs.remove(f"{_folder(target)}{name}")


def _keys(path: str, content: bytes) -> Keys:
    if len(content) % KEY_BYTES:
        raise StoreDamaged(f"{path} of the row store is not a note of rows: delete it where no worker runs")
    return Keys(np.frombuffer(content, dtype=">u8").astype(np.uint64).reshape(-1, 4))


def _folder(target: str) -> str:
    """A target is named by people; its digest is a name for a file."""
    return f"{FOLDER}/{hashlib.sha256(target.encode()).hexdigest()[:16]}/"
