"""The synthetic rows of the bank story are those that their script makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from docs_fences import ROOT

KEPT = ROOT / "datasets/bank-assistant"
MOST_BYTES = 1_500_000


def answers(folder: Path) -> pa.Table:
    return pq.ParquetFile(folder / "responses.parquet").read()  # pyright: ignore[reportUnknownMemberType] - a gap in pyarrow's stubs


def test_the_script_makes_the_rows_that_are_kept(tmp_path: Path) -> None:
    """Byte for byte the cases, and value for value the answers: how Parquet packs them is its own affair."""
    subprocess.run([sys.executable, KEPT / "make_rows.py", tmp_path], check=True)
    assert (tmp_path / "cases.jsonl").read_bytes() == (KEPT / "cases.jsonl").read_bytes()
    made, kept = (answers(folder) for folder in (tmp_path, KEPT))
    assert made.equals(kept)
    assert kept.num_rows == 6 * 1280


def test_a_cap_cuts_the_answer_that_is_there_without_it() -> None:
    rows = {(row["setup"], row["id"]): row for row in answers(KEPT).to_pylist()}
    for cap in (300, 600):
        capped = [row for (setup, _), row in rows.items() if setup == f"frontier_cap{cap}"]
        cut = [row for row in capped if row["finish_reason"] == "length"]
        assert cut
        assert {row["completion_tokens"] for row in cut} == {cap}
        assert all(rows["frontier", row["id"]]["response"].startswith(row["response"]) for row in capped)


def test_the_rows_are_called_synthetic_and_are_small() -> None:
    assert (KEPT / "README.md").read_text(encoding="utf-8").startswith("# Synthetic")
    assert sum(path.stat().st_size for path in KEPT.iterdir() if path.is_file()) < MOST_BYTES
    sessions = {json.loads(line)["session"] for line in (KEPT / "cases.jsonl").read_text(encoding="utf-8").splitlines()}
    assert len(sessions) == 800
