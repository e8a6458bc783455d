"""Checksums of files and folders in DVC's own form, without DVC, so that they can be compared with dvc.lock."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from triaxis.adapters.untouched import Seen, seen


class Md5s:
    """The checksums of a workspace's files, by path relative to it.

    A file is read again unless it is untouched since this very process read it: what is up to date is decided from
    content, and nothing is remembered from one run to the next.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[Seen, str]] = {}

    def of(self, path: str) -> str | None:
        """The md5 of a file, `MD5.dir` of a folder, None where there is neither."""
        place = self._root / path
        if place.is_dir():
            return self._folder(place)
        return self._file(place) if place.is_file() else None

    def size(self, path: str) -> int:
        """Bytes of a file, or of all files of a folder."""
        place = self._root / path
        return sum(f.stat().st_size for f in _files(place)) if place.is_dir() else place.stat().st_size

    def _folder(self, folder: Path) -> str:
        entries = [{"md5": self._file(file), "relpath": file.relative_to(folder).as_posix()} for file in _files(folder)]
        listing = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
        return f"{hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()}.dir"

    def _file(self, path: Path) -> str:
        now = seen(path)
        if path in self._known and self._known[path][0] == now:
            return self._known[path][1]
        with path.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        self._known[path] = now, md5
        return md5


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
