"""Who holds a workspace: a run takes it, and the tasks of its process join it instead of waiting for its lock."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from triaxis.pipelines.session import Session, session
from triaxis.pipelines.silence import Silence
from triaxis.ports.progress import Progress
from triaxis.wiring import wire

_HELD: dict[tuple[str, str], Session] = {}
"""By workspace and evaluation: what this process holds."""


@asynccontextmanager
async def held(
    root: Path,
    config: str,
    progress: Progress,
    verb: str,
    *,
    only: tuple[str, ...] = (),
    patience_s: float = math.inf,
) -> AsyncGenerator[Session]:
    """Holds a workspace, so that tasks of this process find its session by `attach`."""
    wiring = wire(root, config)
    async with session(wiring, progress, verb, only=only, patience_s=patience_s) as own:
        key = (own.url, config)
        _HELD[key] = own
        try:
            yield own
        finally:
            del _HELD[key]


@asynccontextmanager
async def attach(
    workspace: str, config: str, only: tuple[str, ...] = (), patience_s: float = math.inf
) -> AsyncGenerator[Session]:
    """The session that this process holds on a workspace, or one of its own where it holds none."""
    root = _folder(workspace)
    if own := _HELD.get((root.resolve().as_uri(), config)):
        yield own
        return
    async with held(root, config, Silence(), "run", only=only, patience_s=patience_s) as own:
        yield own


def _folder(workspace: str) -> Path:
    """The folder that a path or a file URL names."""
    parts = urlsplit(workspace)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(workspace)
