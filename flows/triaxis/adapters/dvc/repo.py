"""DVC as a library: the one module that imports it, and only when there is something to commit."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# (DVC ships no types)

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any, cast

from triaxis.adapters.dvc.files import Pipeline, kept_outs, repository, stale_targets
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.errors import NotVersioned

_PATIENCE_S = 20.0
_WAIT_S = 0.25


def commit(root: Path, pipeline: Pipeline, md5s: Md5s) -> tuple[str, ...]:
    """Tells DVC of the files as they are, so that its status is clean and a repro has nothing to do.

    A commit asserts that the outs came from the deps, it does not check: call it only when every stage is fresh by our
    own records, for the whole evaluation, never for some of its variants. While DVC itself runs a verb nothing is done:
    DVC holds its lock, and records what the verb wrote.

    Returns:
        The targets committed; nothing where DVC knew everything and git ignores it, or there is no DVC.
    """
    if "DVC_STAGE" in os.environ or repository(root) is None:
        return ()
    stale = stale_targets(root, pipeline, md5s)
    targets = (*stale, *(name for name in _exposed(root, pipeline) if name not in stale))
    if targets:
        _commit(root, targets)
    return targets


def _exposed(root: Path, pipeline: Pipeline) -> tuple[str, ...]:
    """Stages with outs that git does not ignore, as when a .gitignore of DVC's was deleted along with its folder."""
    outs = kept_outs(root, pipeline)
    done = subprocess.run(
        args=("/usr/bin/env", "git", "check-ignore", "--no-index", "--stdin"),
        input="\n".join(outs),
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:  # no git here, so nothing that could take them in
        return ()
    ignored = set(done.stdout.splitlines())
    return tuple(dict.fromkeys(name for path, name in outs.items() if path not in ignored))


def _commit(root: Path, targets: Sequence[str]) -> None:
    """Commits the targets, waiting for whoever else holds one of DVC's locks, some of which fail at once."""
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    logging.getLogger("dvc").setLevel(logging.ERROR)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            # DVC reads a target from the current folder, and refuses one outside of its repository.
            with chdir(root), Repo() as repo:
                for target in targets:
                    repo.commit(target, force=True, relink=False)
        except LockError as error:
            if time.monotonic() >= deadline:
                raise NotVersioned(f"DVC is busy: {error}. Run again when the other DVC command has ended.") from error
            time.sleep(_WAIT_S)
        except DvcException as error:
            raise NotVersioned(f"DVC could not record this run: {error}. Run `dvc status` to see more.") from error
        else:
            return


def cache_folder(root: Path) -> Path | None:
    """Where DVC keeps contents by md5; None where DVC has no say over the folder.

    Raises:
        NotVersioned: where DVC's own settings cannot be read.
    """
    if repository(root) is None:
        return None
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            return Path(str(cast("Any", repo.cache).local.path))
    except DvcException as error:
        raise NotVersioned(f"DVC's settings cannot be read: {error}. Run `dvc cache dir` to see more.") from error
