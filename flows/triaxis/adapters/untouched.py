"""Whether a file is as this process last saw it; across processes, only its content can say that."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Seen(NamedTuple):
    """A file as a look at it found it: every write changes one of these."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def seen(path: Path) -> Seen:
    """The file as it is now."""
    stat = path.stat()
    return Seen(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
