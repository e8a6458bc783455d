"""The archive as it is read, and decisions as they are added to it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from build_card import a_scorecard, a_variant_card
from build_deciding import a_decision, a_waiver
from build_measures import an_slo

from triaxis.adapters.archive.past import Archived
from triaxis.adapters.evidence.codec import encode
from triaxis.domain.looks import Look
from triaxis.domain.scorecard import Scorecard
from triaxis.errors import StoreDamaged
from triaxis.rules.cards.card import identified, to_json
from triaxis.wiring import file_schema

CARD = identified(a_scorecard(sound=a_variant_card(), poor=a_variant_card("hold")))


def archived(root: Path, card: Scorecard = CARD, **files: str) -> Archived:
    """An archive of one scorecard, as a run writes it."""
    folder = root / card.id
    folder.mkdir(parents=True)
    provenance = {"created_at": "2027-01-01T00:00:00Z", "git": {"commit": "c" * 40}, "variants": {"sound": "s1"}}
    texts = {
        "scorecard": json.dumps(to_json(card)),
        "provenance": json.dumps(provenance),
        "manifest": json.dumps({"files": {"a.md": {"md5": "m", "size": 1}}}),
        "slo": encode(an_slo()).decode(),
        **files,
    }
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text)
    return Archived(root)


def test_what_was_archived_is_read_back(tmp_path: Path) -> None:
    archive = archived(tmp_path)
    (tmp_path / ".draft.tmp").mkdir()
    (tmp_path / "empty").mkdir()
    assert archive.ids() == (CARD.id,)
    assert to_json(archive.scorecard(CARD.id)) == to_json(CARD)
    assert archive.slo(CARD.id) == an_slo()
    assert archive.files(CARD.id) == {"a.md": "m"}
    assert (archive.created_at(CARD.id), archive.commit(CARD.id)) == ("2027-01-01T00:00:00Z", "c" * 40)


def test_nothing_was_archived(tmp_path: Path) -> None:
    archive = Archived(tmp_path / "none")
    assert (archive.ids(), list(archive.looks("support")), archive.records("support")) == ((), [], [])


def test_candidates_of_older_archives_count_by_name(tmp_path: Path) -> None:
    """`sound` has a hash, `poor` none; another evaluation's scorecards are no looks at this one's cases."""
    archive = archived(tmp_path)
    made = CARD.created_from
    assert list(archive.looks("support")) == [
        Look(
            dataset_sha256=made.dataset_sha256,
            variants_sha256=made.variants_sha256,
            candidates=frozenset({"s1", "poor"}),
            looks=None,
        )
    ]
    assert list(archive.looks("another")) == []


def test_decisions_are_added_and_none_is_lost(tmp_path: Path) -> None:
    archive = archived(tmp_path)
    assert (archive.record(CARD.id), archive.records("support")) == (None, [])
    first, second = a_decision(a_waiver()), a_decision(variant="sound", at="2027-02-02T00:00:00Z")
    path = archive.decide(CARD, first)
    archive.decide(CARD, second)
    record = archive.record(CARD.id)
    assert record is not None
    assert record.decisions == (first, second)
    assert archive.records("support") == [record]
    assert archive.records("another") == []
    assert path == tmp_path / CARD.id / "decision.json"
    jsonschema.validate(json.loads(path.read_text()), file_schema("decision"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}'])
def test_a_damaged_decision_is_named(text: str, tmp_path: Path) -> None:
    archive = archived(tmp_path, decision=text)
    with pytest.raises(StoreDamaged, match=f"scorecards/{CARD.id}/decision.json"):
        archive.record(CARD.id)


def test_an_archive_from_before_objectives_were_kept(tmp_path: Path) -> None:
    archive = archived(tmp_path)
    (tmp_path / CARD.id / "slo.json").unlink()
    assert archive.slo(CARD.id) is None
