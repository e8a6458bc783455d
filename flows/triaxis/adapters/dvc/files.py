"""DVC's files as text: dvc.yaml written and checked, dvc.lock and .dvc files read. DVC itself is not needed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.workspace.tree import Node
from triaxis.adapters.workspace.yaml_lines import parse
from triaxis.domain.dag import STAGES, Stage, command, dvc_name
from triaxis.errors import Fault

DVC_YAML = "dvc.yaml"
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What dvc.yaml must know of one evaluation; paths are relative to the workspace."""

    config: str
    reports: str
    files: tuple[str, ...]
    """Every file that is read: the dependencies of `prepare`."""

    def deps(self, stage: Stage) -> tuple[str, ...]:
        """The stage's dependencies, sorted."""
        derived = (f"{self.reports}/{dep}" for dep in stage.deps)
        return tuple(sorted([*(self.files if stage.raw else ()), *derived]))

    def outs(self, stage: Stage) -> tuple[str, ...]:
        """The files that the stage alone writes, sorted."""
        return tuple(sorted(f"{self.reports}/{out}" for out in stage.outs))


def dvc_yaml(*pipelines: Pipeline) -> str:
    """A dvc.yaml with every stage of the evaluations.

    Outs that their own stage reads are marked `persist`: DVC would delete them before it runs the stage, and with them
    answers that are paid for.
    """
    blocks = [_stage_text(pipeline, stage) for pipeline in pipelines for stage in STAGES]
    return "stages:\n" + "".join(blocks)


def dvc_file(name: str, md5: str, size: int) -> str:
    """The .dvc file of an input that git holds: DVC knows its version and keeps no copy."""
    return f"outs:\n- md5: {md5}\n  size: {size}\n  hash: md5\n  cache: false\n  path: {_quoted(name)}\n"


def disagreements(root: Path, *pipelines: Pipeline) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    """Where dvc.yaml and the DAG part, and as notices what is merely not versioned."""
    path = root / DVC_YAML
    if not path.is_file():
        return (), ("there is no dvc.yaml, so DVC versions nothing here; `triaxis init .` writes one",)
    tree, flaws = parse(path.read_text(encoding="utf-8"))
    faults = [Fault(file=DVC_YAML, line=flaw.line, problem=flaw.problem, advice=flaw.advice) for flaw in flaws]
    stages = tree.child("stages") if tree else None
    notices: list[str] = []
    for pipeline in pipelines if tree else ():
        nodes = {stage: stages.child(dvc_name(stage, pipeline.config)) if stages else None for stage in STAGES}
        if not any(nodes.values()):
            notices.append(f"dvc.yaml has no stages of {pipeline.config}, so DVC does not version its evidence")
            continue
        for stage, node in nodes.items():
            faults.extend(_stage_faults(pipeline, stage, node))
    return tuple(faults), tuple(notices)


def stale_targets(root: Path, pipeline: Pipeline, md5s: Md5s) -> tuple[str, ...]:
    """What DVC has other checksums of than the files have: .dvc files of inputs, and names of stages."""
    stages = _read(root / DVC_YAML, "stages")
    locked = _read(root / "dvc.lock", "stages")
    inputs = [f"{file}.dvc" for file in pipeline.files if _input_is_stale(root, file, md5s)]
    names = [dvc_name(stage, pipeline.config) for stage in STAGES]
    present = [name for name in names if stages and stages.child(name)]
    return (
        *inputs,
        *(n for n in present if stages and _stage_is_stale(stages.child(n), locked and locked.child(n), md5s)),
    )


def kept_outs(root: Path, pipeline: Pipeline) -> dict[str, str]:
    """The outs of which DVC keeps copies, so that git should ignore them, each with the name of its stage."""
    stages = _read(root / DVC_YAML, "stages")
    nodes = {name: stages and stages.child(name) for name in (dvc_name(stage, pipeline.config) for stage in STAGES)}
    return {path: name for name, node in nodes.items() if node for path in _paths(node.child("outs"), kept=True)}


def repository(root: Path) -> Path | None:
    """The DVC repository that the workspace is in, or None."""
    return next((folder for folder in (root, *root.parents) if (folder / ".dvc").is_dir()), None)


def unversioned(root: Path) -> str | None:
    """What is not versioned here, and what to do about it; None where everything is."""
    if repository(root) is None:
        return "no DVC repository here: inputs and evidence are not versioned. `git init && dvc init` changes that"
    if not (root / DVC_YAML).is_file():
        return "no dvc.yaml here: evidence is not versioned. `triaxis init .` writes one"
    return None


def _stage_text(pipeline: Pipeline, stage: Stage) -> str:
    lines = [
        f"  {dvc_name(stage, pipeline.config)}:",
        f"    cmd: {_quoted(command(stage, pipeline.config))}",
        "    deps:",
        *(f"    - {_quoted(dep)}" for dep in pipeline.deps(stage)),
        "    outs:",
    ]
    for out in pipeline.outs(stage):
        lines.extend([f"    - {_quoted(out)}:", "        persist: true"] if stage.keeps else [f"    - {_quoted(out)}"])
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _stage_faults(pipeline: Pipeline, stage: Stage, node: Node | None) -> Iterator[Fault]:
    name = dvc_name(stage, pipeline.config)
    if node is None:
        advice = "Add it; `triaxis init` shows how in an empty folder."
        yield Fault(file=DVC_YAML, field=f"stages.{name}", problem="this stage is missing", advice=advice)
        return
    if not _runs(node.child("cmd"), stage, pipeline.config):
        advice = f"Write `cmd: {command(stage, pipeline.config)}`."
        field = f"stages.{name}.cmd"
        yield Fault(file=DVC_YAML, line=node.line, field=field, problem="runs something else", advice=advice)
    yield from _path_faults(node, f"stages.{name}.deps", pipeline.deps(stage), exact=False)
    yield from _path_faults(node, f"stages.{name}.outs", pipeline.outs(stage), exact=True)


def _path_faults(node: Node, field: str, wanted: Sequence[str], *, exact: bool) -> Iterator[Fault]:
    """Paths that are missing under `field`; with `exact`, also those that should not be there."""
    key = field.rsplit(".", 1)[1]
    has, words = tuple(_paths(node.child(key))), {"deps": "a dependency", "outs": "an out"}[key]
    for path in wanted:
        if not (path in has or (not exact and _covered(path, has))):
            problem = f"{path} is not {words} of {field.split('.')[1]}"
            yield Fault(file=DVC_YAML, line=node.line, field=field, problem=problem, advice=f"Add `- {path}`.")
    for path in has if exact else ():
        if path not in wanted:
            problem = f"the stage does not write {path}"
            yield Fault(file=DVC_YAML, line=node.line, field=field, problem=problem, advice="Remove it.")


def _covered(path: str, has: Iterable[str]) -> bool:
    """Whether a folder that holds the path is listed."""
    above = {parent.as_posix() for parent in PurePosixPath(path).parents}
    return any(entry.rstrip("/") in above for entry in has)


def _runs(cmd: Node | None, stage: Stage, config: str) -> bool:
    """Whether the command runs that verb of triaxis on that evaluation, whatever stands before or after it."""
    try:
        words = shlex.split(str(cmd.value)) if cmd else []
    except ValueError:
        return False
    names = [PurePosixPath(word).name for word in words]
    verb = next((after for word, after in pairwise(names) if word == "triaxis"), "")
    given = next((after for word, after in pairwise(words) if word in {"-c", "--config"}), "evaluation.yaml")
    return verb == stage.name and given == config


def _paths(node: Node | None, *, kept: bool = False) -> Iterator[str]:
    """The paths of a list of deps or outs, whose entries may carry flags; with `kept`, without those `cache: false`."""
    for entry in node.value if node and isinstance(node.value, tuple) else ():
        flagged = entry.entries or {str(entry.value): entry}
        yield from (path for path, flags in flagged.items() if not (kept and _text(flags, "cache") == "False"))


def _read(path: Path, key: str) -> Node | None:
    tree, _ = parse(path.read_text(encoding="utf-8")) if path.is_file() else (None, ())
    return tree.child(key) if tree else None


def _input_is_stale(root: Path, file: str, md5s: Md5s) -> bool:
    outs = _read(root / f"{file}.dvc", "outs")
    first = outs.child(0) if outs else None
    return first is not None and _text(first, "md5") != md5s.of(file)


def _stage_is_stale(node: Node | None, locked: Node | None, md5s: Md5s) -> bool:
    if node is None or locked is None or _text(node, "cmd") != _text(locked, "cmd"):
        return True
    return any(
        {path: md5s.of(path) for path in _paths(node.child(key))} != _locked_md5s(locked.child(key))
        for key in ("deps", "outs")
    )


def _locked_md5s(node: Node | None) -> dict[str, str | None]:
    entries = node.value if node and isinstance(node.value, tuple) else ()
    return {str(_text(entry, "path")): _text(entry, "md5") for entry in entries}


def _text(node: Node, key: str) -> str | None:
    child = node.child(key)
    return None if child is None else str(child.value)
