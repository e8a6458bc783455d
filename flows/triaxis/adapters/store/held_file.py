"""Files held by a lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

_held: set[int] = set()


@dataclass(frozen=True, slots=True)
class HeldFile:
    """An open file that this process, and no other, holds."""

    path: Path
    fd: int

    def close(self) -> None:
        """Lets go of it."""
        _held.discard(self.fd)
        os.close(self.fd)


def hold(path: Path) -> HeldFile | None:
    """Opens or creates the file and takes its lock; None where somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    _held.add(fd)
    return HeldFile(path, fd)


def _let_go_in_child() -> None:
    # A forked child shares the lock: if it outlived a killed parent, the file would stay held by nobody who writes it.
    for fd in tuple(_held):
        os.close(fd)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
