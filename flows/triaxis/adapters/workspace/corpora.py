"""The corpus of a retriever: passages beside the dataset, one a line of a .jsonl file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from triaxis.adapters.workspace.findings import Findings, Place
from triaxis.adapters.workspace.folder import Folder, asked_at
from triaxis.adapters.workspace.tree import Path
from triaxis.adapters.workspace.wire_evaluation import WireRetriever
from triaxis.domain.case import Case
from triaxis.domain.variant import ModelVariant, Passage, Retriever, Variant
from triaxis.rules.levers.retrieval import unknown_labels

MAX_BYTES = 8_000_000
"""A corpus is part of every variant that looks into it; a larger one is a search engine's."""
_KEYS = frozenset({"id", "text"})
_SHOWN = 3


def retriever_of(wire: WireRetriever | None, place: Place, path: Path, folder: Folder) -> Retriever | None:
    """The retriever with its corpus; None where there is none, or after a fault."""
    if wire is None:
        return None
    name = folder.resolve(wire.corpus, asked_at(place, (*path, "retriever", "corpus")))
    text = None if name is None else folder.text(name, MAX_BYTES)
    if name is None or text is None:
        return None
    passages = tuple(_passages(text, name, place.findings))
    if not passages:
        place.findings.add(name, "holds no passage", 'Give one passage a line: {"id": "refunds-1", "text": "…"}.')
    return Retriever(path=name, k=wire.k, by=wire.by, passages=passages) if passages else None


def note_unknown_passages(variants: Iterable[Variant], cases: Iterable[Case], findings: Findings) -> None:
    """Says which labelled passages a corpus lacks: what is not there cannot be found."""
    held = list(cases)
    for variant in variants:
        if isinstance(variant, ModelVariant) and variant.retriever is not None:
            lacking = unknown_labels(held, variant.retriever)
            if lacking:
                shown = ", ".join(repr(label[:40]) for label in lacking[:_SHOWN]) + (
                    " and more" if lacking[_SHOWN:] else ""
                )
                findings.note(f"{variant.retriever.path}: holds no passage {shown}, which cases label.")


def _passages(text: str, name: str, findings: Findings) -> Iterator[Passage]:
    lines = dict[str, int]()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        passage, problem, advice = _passage(line)
        if passage is None:
            findings.add(name, problem, advice, line=number)
        elif passage.id in lines:
            problem = f"the passage {passage.id[:60]!r} stands in line {lines[passage.id]} as well"
            findings.add(name, problem, "Give every passage an id of its own.", line=number)
        else:
            lines[passage.id] = number
            yield passage


def _passage(line: str) -> tuple[Passage | None, str, str]:
    """The passage of a line, or the problem and the advice."""
    row = _row(line) or {}
    said = [value for key in ("id", "text") if isinstance(value := row.get(key), str) and value.strip()]
    if len(said) < len(_KEYS):
        return None, "is no passage", 'Write {"id": "refunds-1", "text": "…"}: two texts that are not empty.'
    if unknown := sorted(row.keys() - _KEYS):
        return None, f"unknown key {unknown[0][:60]!r}", "A passage has id and text, and nothing else."
    return Passage(id=said[0], text=said[1]), "", ""


def _row(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
