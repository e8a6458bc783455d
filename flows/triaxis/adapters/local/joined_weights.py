"""Weights that come in parts, as the one file that a server reads."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from triaxis.adapters.atomic import replacing
from triaxis.adapters.digests import file_sha256
from triaxis.adapters.local.weights import PACKAGED, Weights
from triaxis.errors import Fault, InputFaults


def joined(weights: Weights) -> Weights:
    """The weights in one file, made of their parts where it is missing; blocks, for about a second for 250 MB.

    The file is there whole and verified, or not at all. It stays, and serves without the parts.

    Raises:
        InputFaults: where the parts do not make up what the digest says.
    """
    if not weights.parts:
        return weights
    with _alone(weights.path):
        if not weights.path.is_file():
            _join(weights)
    return replace(weights, parts=())


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Keeps whoever else wants the same file waiting, in this process or another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _join(weights: Weights) -> None:
    with replacing(weights.path) as draft:
        with draft.open("wb") as whole:
            for path in weights.parts:
                with path.open("rb") as part:
                    shutil.copyfileobj(part, whole)
        if file_sha256(draft) != weights.sha256:
            raise InputFaults(_damaged(weights))


def _damaged(weights: Weights) -> Fault:
    problem = f"the {len(weights.parts)} parts of its packages do not make up weights whose sha256 is {weights.sha256}"
    packaged = PACKAGED.get(weights.name)
    advice = f"Uninstall the packages and install them again: {packaged.install}" if packaged else "Get the parts again"
    return Fault(file=str(weights.path), problem=problem, advice=advice)
