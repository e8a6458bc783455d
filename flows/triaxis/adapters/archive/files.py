"""Every scorecard there ever was: `reports/scorecards/ID`, written once and kept in git."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from triaxis.adapters.atomic import flush
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.evidence.codec import encode
from triaxis.domain.canonical import JsonValue
from triaxis.domain.dag import STAGES
from triaxis.domain.evaluation import Inputs
from triaxis.domain.hashes import candidate_hashes
from triaxis.ports.clock import Clock


class FileFacts(TypedDict):
    """One line of a manifest."""

    md5: str
    size: int


class Archive:
    """The archive of one reports folder."""

    def __init__(self, root: Path, reports: str, *, md5s: Md5s, clock: Clock) -> None:
        self._root, self._reports, self._md5s, self._clock = root, reports, md5s, clock

    def add(self, scorecard_id: str, raw_files: Sequence[str], inputs: Inputs) -> bool:
        """Keeps the current scorecard and its objectives, where it came from, and the checksum of every file behind it.

        Returns:
            Whether it was new: an archived scorecard is never written again, its provenance least of all.
        """
        folder = self._root / self._reports / "scorecards" / scorecard_id
        if folder.is_dir():
            return False
        files = self._manifest(raw_files)
        contents = {
            "scorecard.json": (self._root / self._reports / "scorecard.json").read_bytes(),
            "slo.json": encode(inputs.slo),
            "provenance.json": encode(
                {
                    **self._provenance({path: entry["md5"] for path, entry in files.items()}),
                    "variants": candidate_hashes(inputs.variants, inputs.baseline),
                }
            ),
            "manifest.json": encode({"schema_version": 1, "files": files}),
        }
        self._write(folder, contents)
        return True

    def _write(self, folder: Path, contents: Mapping[str, bytes]) -> None:
        """All files or none: the folder gets its name when it is complete."""
        draft = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for name, content in contents.items():
            (draft / name).write_bytes(content)
            flush(draft / name)
        draft.rename(folder)
        flush(folder.parent)

    def _manifest(self, raw_files: Sequence[str]) -> Mapping[str, FileFacts]:
        """Md5 and size of every input and every file of evidence, by path."""
        made = [f"{self._reports}/{out}" for stage in STAGES for out in stage.outs if out.startswith("evidence/")]
        files = [path for entry in made for path in self._files(entry)]
        return {
            path: {"md5": md5, "size": self._md5s.size(path)}
            for path in sorted({*raw_files, *files})
            if (md5 := self._md5s.of(path)) is not None
        }

    def _files(self, path: str) -> list[str]:
        """The path, and where it is a folder all files under it."""
        under = (self._root / path).rglob("*")
        return [path, *(file.relative_to(self._root).as_posix() for file in under if file.is_file())]

    def _provenance(self, md5s: Mapping[str, str]) -> Mapping[str, JsonValue]:
        """When, by which release and from which commit and files; nothing of the machine but its kind."""
        return {
            "schema_version": 1,
            "created_at": datetime.fromtimestamp(self._clock.now_ns() // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "triaxis": version("triaxis"),
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "cpus": os.cpu_count(),
            "git": git_state(self._root),
            "md5s": md5s,
        }


def git_state(root: Path) -> JsonValue:
    """The commit that is checked out and whether files differ from it; None outside of git or before any commit."""
    # `env` finds git on the path; without git it fails, as git does outside of a repository.
    head = subprocess.run(args=("/usr/bin/env", "git", "rev-parse", "HEAD"), cwd=root, capture_output=True, check=False)
    if head.returncode:
        return None
    changed = subprocess.run(
        args=("/usr/bin/env", "git", "status", "--porcelain", "--untracked-files=no"),
        cwd=root,
        capture_output=True,
        check=False,
    )
    return {"commit": head.stdout.decode().strip(), "dirty": bool(changed.stdout.strip())}
