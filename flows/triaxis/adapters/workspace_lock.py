"""One run at a time in a workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from triaxis.adapters.store.held_file import HeldFile, hold
from triaxis.errors import Busy
from triaxis.ports.clock import Clock


@contextmanager
def workspace_lock(path: Path, verb: str, *, clock: Clock, what: str = "this workspace") -> Generator[None]:
    """Holds `.triaxis/lock`, or another file, for the block. The lock dies with its process, however that ends.

    Raises:
        Busy: naming the process, verb and start of whoever holds it.
    """
    held = hold(path)
    if held is None:
        raise Busy(_holder(path), what)
    try:
        _sign(held, verb, clock.now_ns())
        yield
    finally:
        held.close()


def _sign(held: HeldFile, verb: str, now_ns: int) -> None:
    os.ftruncate(held.fd, 0)
    os.write(held.fd, json.dumps({"pid": os.getpid(), "verb": verb, "since_ns": now_ns}).encode())


def _holder(path: Path) -> str:
    """Who holds the lock, in words."""
    try:
        said = json.loads(path.read_text())
        since = _iso(int(said["since_ns"]))
        return f"`triaxis {said['verb']}`, process {said['pid']}, since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that is just starting"


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
