"""What is up to date: decided from content alone, by the checksums a stage was last made from and made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from triaxis.adapters.atomic import write_whole
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.domain.dag import EVIDENCE_VERSION, STAGES, Stage
from triaxis.domain.scorecard import METHOD_VERSION

Record: TypeAlias = dict[str, Any]
"""`version`, `only`, and the md5s of `deps` and `outs` by path relative to the workspace."""


class StageState:
    """The records of one evaluation, in `.triaxis/state/NAME.json`."""

    def __init__(self, root: Path, config: str, reports: str, md5s: Md5s | None = None) -> None:
        name = config.removesuffix(".yaml").replace("/", "-")
        self._path = root / ".triaxis" / "state" / f"{name}.json"
        self._reports = reports
        self.md5s = md5s or Md5s(root)
        self._expected: dict[str, dict[str, str | None]] = {}

    def raw_files(self) -> tuple[str, ...]:
        """The user's files that were read last time, sorted; nothing where nothing was."""
        records = self._load()
        read = (records[stage.name]["deps"] for stage in STAGES if stage.raw and stage.name in records)
        return tuple(sorted(path for deps in read for path in deps))

    def fresh(self, stage: Stage, raw_files: Sequence[str] = (), only: Sequence[str] = ()) -> bool:
        """Whether the stage's outs are what it made of just these deps.

        The deps' checksums are kept for `record`: a file edited while the stage runs is not what the stage was made
        from, and the next run sees that.
        """
        return not self.why(stage, raw_files, only)

    def unchanged(self, stages: Sequence[Stage], only: Sequence[str] = ()) -> bool:
        """Whether every stage is fresh by what it read last time, which is known without reading the user's files."""
        records = self._load()
        return all(
            (known := records.get(stage.name)) is not None
            and known["version"] == _version()
            and (not stage.raw or known["only"] == sorted(only))
            and all(self.md5s.of(path) == md5 is not None for path, md5 in {**known["deps"], **known["outs"]}.items())
            for stage in stages
        )

    def why(self, stage: Stage, raw_files: Sequence[str] = (), only: Sequence[str] = ()) -> tuple[str, ...]:
        """Every reason why the stage must run, in words; nothing where it need not."""
        deps = self._md5_of(self._deps(stage, raw_files))
        self._expected[stage.name] = deps
        known: Record | None = self._load().get(stage.name)
        if known is None:
            return ("it has not run here yet",)
        outs = self._md5_of(self._outs(stage))
        reasons = [
            *_changed(known["deps"], deps, "changed"),
            *_changed(known["outs"], outs, "is not as it was written"),
        ]
        if known["version"] != _version():
            reasons.append("this release computes it differently")
        if stage.raw and known["only"] != sorted(only):
            reasons.append("other variants were asked for")
        return tuple(reasons)

    def record(self, stage: Stage, raw_files: Sequence[str] = (), only: Sequence[str] = ()) -> None:
        """Notes that the stage has just run."""
        deps = self._expected.pop(stage.name, None) or self._md5_of(self._deps(stage, raw_files))
        records = self._load()
        records[stage.name] = {
            "version": _version(),
            "only": sorted(only) if stage.raw else [],
            "deps": deps,
            "outs": self._md5_of(self._outs(stage)),
        }
        write_whole(self._path, json.dumps(records, indent=1, sort_keys=True).encode() + b"\n")

    def _deps(self, stage: Stage, raw_files: Sequence[str]) -> list[str]:
        return [*(raw_files if stage.raw else ()), *(f"{self._reports}/{dep}" for dep in stage.deps)]

    def _outs(self, stage: Stage) -> list[str]:
        return [f"{self._reports}/{out}" for out in stage.outs]

    def _md5_of(self, paths: Sequence[str]) -> dict[str, str | None]:
        return {path: self.md5s.of(path) for path in paths}

    def _load(self) -> dict[str, Record]:
        """The records; a file that cannot be read is as good as none: it only costs a walk through stored rows."""
        try:
            return json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}


def _version() -> str:
    return f"{METHOD_VERSION}.{EVIDENCE_VERSION}"


def _changed(then: dict[str, str | None], now: dict[str, str | None], words: str) -> list[str]:
    """One reason a path."""
    gone = [f"{path} is no longer read" for path in sorted(then.keys() - now.keys())]
    new = [f"{path} is new" for path in sorted(now.keys() - then.keys())]
    missing = [f"{path} is missing" for path, md5 in now.items() if md5 is None]
    differs = [f"{path} {words}" for path, md5 in now.items() if md5 and path in then and then[path] != md5]
    return [*gone, *new, *missing, *differs]
