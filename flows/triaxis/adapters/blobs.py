"""Named contents that are written once: what the row store is made of, in a folder or at a URL."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Protocol

from triaxis.adapters.atomic import flush

DRAFT = ".draft"


class Blobs(Protocol):
    """Contents by name, such as `batches/triaxis-1f/intent.json`. A content never changes; it is there or gone."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a folder's, such as `rows/`, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The content.

        Raises:
            FileNotFoundError: where there is none.
        """
        ...

    def file(self, name: str) -> Path:
        """The content as a file of this machine, to be read and left alone.

        Raises:
            FileNotFoundError: where there is none.
        """
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Writes a content, durably, unless there is one of that name; whether it wrote."""
        ...

    def publish(self, draft: Path, name: str) -> None:
        """Takes in a file under a name made of its content, durably; the draft is gone afterwards."""
        ...

    def draft(self, folder: str) -> Path:
        """Where to write a file that is to be published in a folder."""
        ...

    def remove(self, name: str) -> None:
        """Deletes a content, where it is there."""
        ...


class FolderBlobs:
    """`Blobs` in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, prefix: str) -> list[str]:
        """The names that begin with a folder's, sorted."""
        under = (self._root / prefix).rglob("*")
        files = (path for path in under if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self._root).as_posix() for path in files)

    def read(self, name: str) -> bytes:
        """The content."""
        return (self._root / name).read_bytes()

    def file(self, name: str) -> Path:
        """The content's own file."""
        path = self._root / name
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def create(self, name: str, content: bytes) -> bool:
        """Writes a content unless there is one of that name: a link is made of a whole file, and fails if it exists."""
        path = self._root / name
        draft = self.draft(str(Path(name).parent))
        draft.write_bytes(content)
        flush(draft)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        flush(path.parent)
        return True

    def publish(self, draft: Path, name: str) -> None:
        """Moves the file to its name."""
        flush(draft)
        draft.replace(self._root / name)
        flush((self._root / name).parent)

    def draft(self, folder: str) -> Path:
        """A hidden file beside where it will stand, of this process and thread."""
        place = self._root / folder
        place.mkdir(parents=True, exist_ok=True)
        return place / f".{os.getpid()}-{threading.get_ident()}{DRAFT}"

    def remove(self, name: str) -> None:
        """Deletes the file."""
        (self._root / name).unlink(missing_ok=True)
