"""The key is searched for in every file that is written and everything that is printed, however a run ends."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from provider_process import RunningProvider, running_provider
from workspace_run import KEY, Done, Project

CORE = KEY.removeprefix("sk-test-")[:12]
"""A part that no shortening or masking may leave over either."""


def holding(*folders: Path) -> list[str]:
    """Every file in the folders that holds the key, tables by their values."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [str(path) for path in files if any(CORE.encode() in content for content in _contents(path))]


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what is packed in them."""
    content = path.read_bytes()
    yield content
    if content[:4] == b"PAR1":
        table = pq.ParquetFile(path).read()  # pyright: ignore[reportUnknownMemberType] - a gap in pyarrow's stubs
        yield str(table.to_pydict()).encode()
        yield str(table.schema.metadata).encode()
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            yield unpack(content)
        except (OSError, EOFError, zlib.error):
            continue


def nothing_of_it(done: Done, *folders: Path) -> None:
    """Neither printed nor written."""
    assert CORE not in done.out + done.err
    assert holding(*folders) == []


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"x{KEY}y")
    (tmp_path / "b").write_bytes(gzip.compress(KEY.encode()))
    (tmp_path / "c").write_text("nothing")
    assert sorted(Path(path).name for path in holding(tmp_path)) == ["a", "b"]


def test_after_a_whole_run(finished: Project) -> None:
    """With its server's database, logs and temporary files, which are in its home."""
    made = finished.root.parent
    assert CORE not in (made / "printed.txt").read_text()
    assert list((made / "home/prefect").glob("*.db"))
    assert holding(made) == []


FAILING = [
    ("401", ("--key-env", "THE_RIGHT_ONE"), 1),
    ("500", ("--faults", "server=1"), 1),
    ("400 for a few", ("--faults", "bad_request=0.3"), 0),
    ("malformed", ("--faults", "malformed=1"), 1),
]


@pytest.fixture(params=FAILING, ids=[name for name, _, _ in FAILING])
def failing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RunningProvider, int]]:
    """A provider that repeats the key in whatever it refuses, and how a verb that calls it exits."""
    _, options, code = request.param
    env = {"THE_RIGHT_ONE": "sk-another-key"}
    with running_provider(tmp_path / "ledger.jsonl", "--echo-key", *options, env=env) as provider:
        yield provider, code


def test_when_a_provider_repeats_it(finished: Project, failing: tuple[RunningProvider, int], tmp_path: Path) -> None:
    provider, code = failing
    project = finished.copied(tmp_path / "workspace", provider=provider, home=tmp_path / "home")
    project.remove(".triaxis/store", "reports/evidence/generations.parquet")
    project.edit("evaluation.yaml", "concurrency: 8", "concurrency: 8\n  max_attempts: 2")
    done = project.triaxis("generate")
    assert done.code == code, done.err
    nothing_of_it(done, project.root, project.home)


def test_when_a_probe_is_refused(evaluated: Project, tmp_path: Path) -> None:
    env = {"THE_RIGHT_ONE": "sk-another-key"}
    with running_provider(tmp_path / "ledger.jsonl", "--key-env", "THE_RIGHT_ONE", env=env) as strict:
        project = evaluated.copied(tmp_path / "workspace", provider=strict, home=tmp_path / "home")
        project.remove(".triaxis/store", "reports/evidence/probes.parquet")
        done = project.triaxis("probe")
        assert done.code == 1, done.out + done.err
        nothing_of_it(done, project.root, project.home)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("evaluation.yaml", "endpoint: bench", f"endpoint: bench\n    api_key: {KEY}"),
        ("evaluation.yaml", "endpoint: bench", f"endpoint: {KEY}"),
        ("rubrics/tiny/rubric.yaml", "evaluator: exact", f"evaluator: {KEY}"),
        ("prices.yaml", "{", f'{{"{KEY}": 1, '),
        ("evaluation.yaml", "endpoint: bench", f'endpoint: "{KEY}'),
        ("rubrics/tiny/slo.yaml", "{", f"{KEY}: ["),
    ],
)
def test_when_it_is_pasted_into_a_file(project: Project, path: str, old: str, new: str) -> None:
    """It is told of, and repeated nowhere: only the file that holds it does."""
    project.edit(path, old, new)
    done = project.triaxis("check")
    assert done.code == 2
    assert path in done.err
    assert CORE not in done.out + done.err
    assert holding(project.root, project.home) == [str(project.root / path)]
