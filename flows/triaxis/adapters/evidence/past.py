"""The evidence of an archived scorecard: the workspace's own files where they are still the same, else DVC's cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from triaxis.adapters.dvc.md5s import Md5s
from triaxis.domain.dag import MEASURES
from triaxis.errors import Fault, InputFaults


def lay_out(
    files: Mapping[str, str], into: Path, *, root: Path, reports: str, cache: Path | None, commit: str | None
) -> None:
    """Puts the files of evidence of a manifest under `into`, as they stood under the reports folder.

    Args:
        files: Md5 by path relative to the workspace; folders, whose md5 ends in `.dir`, are left to their files.
        into: An empty folder.
        root: The workspace.
        reports: Its reports folder.
        cache: DVC's, None where there is none.
        commit: The git commit that the scorecard was made at, for advice.

    Raises:
        InputFaults: with every file that is nowhere here, and how to get it.
    """
    md5s, missing = Md5s(root), list[Fault]()
    for path, md5 in sorted(files.items()):
        within = _within(path, reports)
        if within is None or md5.endswith(".dir"):
            continue
        source = _source(root / path if md5s.of(path) == md5 else None, md5, cache)
        if source is None:
            missing.append(_missing(path, md5, cache, commit))
        else:
            _linked(source, into / within)
    if missing:
        raise InputFaults(*missing)


def _within(path: str, reports: str) -> PurePosixPath | None:
    """The path below the reports folder of a file of evidence that rows are read from; None for any other file."""
    place = PurePosixPath(path)
    if not place.is_relative_to(PurePosixPath(reports, "evidence")) or ".." in place.parts:
        return None
    within = place.relative_to(reports)
    return None if str(within) == MEASURES else within


def _source(own: Path | None, md5: str, cache: Path | None) -> Path | None:
    if own is not None:
        return own
    cached = None if cache is None else cache / md5[:2] / md5[2:]
    return cached if cached is not None and cached.is_file() else None


def _missing(path: str, md5: str, cache: Path | None, commit: str | None) -> Fault:
    problem = f"this version of it (md5 {md5}) is not here any more"
    if cache is None:
        advice = (
            "Without DVC only the current evidence is kept: `git init` and `dvc init` keep it from the next run on."
        )
    else:
        where = "it was made" if commit is None else f"it was made, on top of commit {commit[:12]}"
        advice = f"`dvc fetch --all-commits` brings what a remote has; else run `dvc push` where {where}."
    return Fault(file=path, problem=problem, advice=advice)


def _linked(source: Path, target: Path) -> None:
    """The same content at another place; a link costs nothing, and a file that is replaced leaves it alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
