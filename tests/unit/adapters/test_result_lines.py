"""Files of lines: whole, or not there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from triaxis.adapters.batches.result_lines import TAIL_BYTES, whole_lines
from triaxis.errors import Transient


def write(path: Path, *chunks: bytes) -> bytes:
    with whole_lines(path) as file:
        for chunk in chunks:
            file.write(chunk)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("chunks", "kept"),
    [
        ((), b""),
        ((b'{"a":1}\n{"b"', b":2}\n"), b'{"a":1}\n{"b":2}\n'),
        ((b'{"a":1}\n', b'{"b":2}'), b'{"a":1}\n{"b":2}\n'),
        ((b'{"b":2}',), b'{"b":2}\n'),
        ((b"no json\n",), b"no json\n"),
    ],
)
def test_whole_lines_are_kept_and_a_last_one_is_ended(chunks: tuple[bytes, ...], kept: bytes, tmp_path: Path) -> None:
    assert write(tmp_path / "new" / "out.jsonl", *chunks) == kept


@pytest.mark.parametrize("rest", [b'{"b":', b"{", b'{"b":"' + b"x" * 3 * TAIL_BYTES])
def test_a_line_without_an_end_leaves_nothing(rest: bytes, tmp_path: Path) -> None:
    with pytest.raises(Transient, match="truncated"):
        write(tmp_path / "out.jsonl", b'{"a":1}\n' + rest)
    assert list(tmp_path.iterdir()) == []


def test_a_long_last_line_is_read_as_one(tmp_path: Path) -> None:
    line = b'{"b":"' + b"x" * 3 * TAIL_BYTES + b'"}'
    assert write(tmp_path / "out.jsonl", b'{"a":1}\n', line) == b'{"a":1}\n' + line + b"\n"


def test_what_breaks_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, b"{}\n")
    with suppress(KeyError), whole_lines(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_bytes() == b"{}\n"
    assert list(tmp_path.iterdir()) == [path]
