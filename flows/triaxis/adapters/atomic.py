"""Whole writes: a reader sees the old file or the new one, never half of either."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A path beside `path` to write to; when the block ends it is flushed to disk and takes the place of `path`.

    The name is fixed, so that what a killed process left behind is overwritten by the next one: writers hold the
    workspace's lock, there is only ever one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    try:
        yield draft
        flush(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    flush(path.parent)


def write_whole(path: Path, content: bytes) -> bool:
    """Writes `content` unless the file holds just that already; whether it wrote.

    An equal file is left alone, so that whoever remembers checksums by modification time need not read it again.
    """
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return False
    with replacing(path) as draft:
        draft.write_bytes(content)
    return True


def flush(path: Path) -> None:
    """Returns when a file's content, or a folder's names, are on disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
