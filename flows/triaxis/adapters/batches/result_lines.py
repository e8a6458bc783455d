"""Files of lines as they come from a provider: whole, or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from triaxis.errors import Transient

TAIL_BYTES = 2**16


@contextmanager
def whole_lines(path: Path) -> Generator[BinaryIO]:
    """A file to write lines to. When the block ends without an error it is at its path; otherwise nothing is.

    A last line that is whole JSON and lacks its newline is given one.

    Raises:
        Transient: `truncated`, where the last line has no end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb+") as file:
            yield file
            _end_last_line(file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _end_last_line(file: BinaryIO) -> None:
    last = _last_line(file)
    if not last:
        return
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        raise Transient("truncated") from None
    file.seek(0, os.SEEK_END)
    file.write(b"\n")


def _last_line(file: BinaryIO) -> bytes:
    """What stands after the last newline."""
    at, tail = file.seek(0, os.SEEK_END), b""
    while at and b"\n" not in tail:
        step = min(TAIL_BYTES, at)
        at = file.seek(at - step)
        tail = file.read(step) + tail
    return tail.rpartition(b"\n")[2]
