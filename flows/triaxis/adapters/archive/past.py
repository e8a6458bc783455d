"""The archive as it is read: past scorecards, with what was decided on them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from triaxis.adapters.atomic import write_whole
from triaxis.adapters.evidence.codec import decode
from triaxis.domain.canonical import JsonValue, canonical_json, without_nulls
from triaxis.domain.decision import Decision, DecisionRecord
from triaxis.domain.looks import Look
from triaxis.domain.plain import plain
from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import Slo
from triaxis.errors import StoreDamaged
from triaxis.rules.cards.reader import from_json

DECISION = "decision.json"
SLO = "slo.json"
DECISION_VERSION = 1


class Archived:
    """The scorecards of one reports folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ids(self) -> tuple[str, ...]:
        """Of every archived scorecard, sorted."""
        if not self._folder.is_dir():
            return ()
        found = (path.name for path in self._folder.iterdir() if (path / "scorecard.json").is_file())
        return tuple(sorted(name for name in found if not name.startswith(".")))

    def scorecard(self, scorecard_id: str) -> Scorecard:
        """One of `ids`.

        Raises:
            StoreDamaged: where it is not of this release's method.
        """
        return from_json(self._json(scorecard_id, "scorecard.json"))

    def created_at(self, scorecard_id: str) -> str:
        """ISO time in UTC."""
        return str(self._json(scorecard_id, "provenance.json")["created_at"])

    def slo(self, scorecard_id: str) -> Slo | None:
        """Its objectives; None where it was archived before they were kept."""
        if not (self._folder / scorecard_id / SLO).is_file():
            return None
        return self._decoded(Slo, scorecard_id, SLO)

    def files(self, scorecard_id: str) -> Mapping[str, str]:
        """The md5 of every input and file of evidence behind it, by path."""
        files: Mapping[str, Mapping[str, Any]] = self._json(scorecard_id, "manifest.json")["files"]
        return {path: str(entry["md5"]) for path, entry in files.items()}

    def commit(self, scorecard_id: str) -> str | None:
        """The git commit that was checked out when it was made."""
        git = self._json(scorecard_id, "provenance.json").get("git")
        return None if git is None else str(git["commit"])

    def looks(self, name: str) -> Iterator[Look]:
        """What was looked at in scorecards of that evaluation, those of other releases included."""
        for scorecard_id in self.ids():
            card = self._json(scorecard_id, "scorecard.json")
            if card.get("name") == name:
                yield _look(card, self._json(scorecard_id, "provenance.json"))

    def record(self, scorecard_id: str) -> DecisionRecord | None:
        """What was decided on it; None where nothing was."""
        if not (self._folder / scorecard_id / DECISION).is_file():
            return None
        return self._decoded(DecisionRecord, scorecard_id, DECISION)

    def records(self, name: str) -> Sequence[DecisionRecord]:
        """What was decided on scorecards of that evaluation."""
        found = (self.record(scorecard_id) for scorecard_id in self.ids())
        return [record for record in found if record is not None and record.name == name]

    def decide(self, card: Scorecard, decision: Decision) -> Path:
        """Adds a decision to those on an archived scorecard; the file it stands in.

        Whoever calls this holds the workspace's lock.
        """
        record = self.record(card.id) or DecisionRecord(
            schema_version=DECISION_VERSION, scorecard=card.id, name=card.name, decisions=()
        )
        path = self._folder / card.id / DECISION
        added = replace(record, decisions=(*record.decisions, decision))
        write_whole(path, canonical_json(_decision_json(added)) + b"\n")
        return path

    def _json(self, scorecard_id: str, name: str) -> Mapping[str, Any]:
        path = self._folder / scorecard_id / name
        try:
            value = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise StoreDamaged(f"{self._shown(scorecard_id, name)} cannot be read: {error}. git has it") from error
        if not isinstance(value, dict):
            raise StoreDamaged(f"{self._shown(scorecard_id, name)} is damaged: it holds no object. git has it")
        return value  # pyright: ignore[reportUnknownVariableType] (JSON)

    def _decoded(self, kind: type[Any], scorecard_id: str, name: str) -> Any:
        try:
            return decode(kind, self._json(scorecard_id, name))
        except ValueError as error:
            raise StoreDamaged(f"{self._shown(scorecard_id, name)} is damaged: {error}. git has it") from error

    def _shown(self, scorecard_id: str, name: str) -> str:
        return f"{self._folder.parent.name}/scorecards/{scorecard_id}/{name}"


def _look(card: Mapping[str, Any], provenance: Mapping[str, Any]) -> Look:
    hashes: Mapping[str, str] = provenance.get("variants", {})
    candidates = (name for name in card["variants"] if name != card["baseline"])
    looks = card.get("looks")
    return Look(
        dataset_sha256=card["created_from"]["dataset_sha256"],
        variants_sha256=card["created_from"]["variants_sha256"],
        candidates=frozenset(hashes.get(name, name) for name in candidates),
        looks=None if looks is None else (looks["datasets"], looks["variants"]),
    )


def _decision_json(record: DecisionRecord) -> JsonValue:
    said = plain(record)
    assert isinstance(said, Mapping)
    decisions = [without_nulls(entry) for entry in map(plain, record.decisions) if isinstance(entry, Mapping)]
    return {**said, "decisions": decisions}
