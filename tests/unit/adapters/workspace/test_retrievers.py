from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import jsonl, write_workspace
from malformed import faults_of, read

from triaxis.adapters.workspace.corpora import MAX_BYTES
from triaxis.domain.canonical import JsonValue
from triaxis.domain.hashes import variants_sha256
from triaxis.domain.variant import ModelVariant, Passage, Retriever

PASSAGES: list[JsonValue] = [{"id": "refunds", "text": "Refunds take five days."}, {"id": "cards", "text": "Cards"}]
CORPUS = "datasets/tiny/corpus.jsonl"


def root_of(root: Path, corpus: str | None = None, **keys: JsonValue) -> Path:
    said: JsonValue = {"corpus": CORPUS, **keys}
    variant: JsonValue = {"extends": "big", "levers": ["retrieval"], "retriever": said}
    write_workspace(root, evaluation={"variants": {"found": variant}})
    (root / CORPUS).write_text(jsonl(PASSAGES) if corpus is None else corpus, encoding="utf-8")
    return root


def retriever(root: Path) -> Retriever | None:
    found = read(root).inputs.variant("found")
    assert isinstance(found, ModelVariant)
    return found.retriever


def test_a_retriever_holds_its_corpus(tmp_path: Path) -> None:
    root = root_of(tmp_path, k=2, by="tfidf")
    passages = (Passage(id="refunds", text="Refunds take five days."), Passage(id="cards", text="Cards"))
    assert retriever(root) == Retriever(path=CORPUS, passages=passages, k=2, by="tfidf")
    assert CORPUS in read(root).files


def test_what_the_corpus_says_is_part_of_the_variant(tmp_path: Path) -> None:
    """Its path is not; a passage is."""
    first = variants_sha256(read(root_of(tmp_path / "a")).inputs.variants)
    blank = variants_sha256(read(root_of(tmp_path / "b", "\n" + jsonl(PASSAGES))).inputs.variants)
    other = variants_sha256(read(root_of(tmp_path / "c", jsonl(PASSAGES[:1]))).inputs.variants)
    assert (first == blank, first == other) == (True, False)


@pytest.mark.parametrize(
    ("corpus", "line", "says"),
    [
        ("", 0, "holds no passage"),
        ("{\n", 1, "is no passage"),
        ('["a"]\n', 1, "is no passage"),
        ('{"id": "a", "text": " "}\n', 1, "is no passage"),
        ('{"id": 1, "text": "x"}\n', 1, "is no passage"),
        ('{"id": "a", "text": "x", "url": "y"}\n', 1, "unknown key 'url'"),
        ('{"id": "a", "text": "x"}\n\n{"id": "a", "text": "y"}\n', 3, "line 1 as well"),
    ],
)
def test_faults_of_a_corpus_are_told_with_their_line(tmp_path: Path, corpus: str, line: int, says: str) -> None:
    fault = next(f for f in faults_of(root_of(tmp_path, corpus)) if says in f.problem)
    assert (fault.file, fault.line) == (CORPUS, line)
    assert fault.advice


def test_faults_of_a_retriever(tmp_path: Path) -> None:
    found = faults_of(root_of(tmp_path, by="magic", k=0))
    assert {f.field for f in found} == {"variants.found.retriever.by", "variants.found.retriever.k"}
    (missing,) = faults_of(without_corpus(tmp_path))
    assert missing.field == "variants.found.retriever.corpus"
    (large,) = faults_of(root_of(tmp_path, "x" * (MAX_BYTES + 1)))
    assert "over the limit" in large.problem


def without_corpus(root: Path) -> Path:
    root_of(root)
    (root / CORPUS).unlink()
    return root


def test_an_import_or_a_view_retrieves_nothing(tmp_path: Path) -> None:
    said: JsonValue = {"corpus": CORPUS}
    root = write_workspace(tmp_path, evaluation={"variants": {"routed": {"retriever": said}}})
    assert "variants.routed.retriever" in {f.field for f in faults_of(root)}


def test_labels_that_the_corpus_lacks_are_noticed(tmp_path: Path) -> None:
    root = root_of(tmp_path)
    cases = root / "datasets/tiny/cases.jsonl"
    lines = cases.read_text().splitlines()
    lines[0] = lines[0].replace('{"id"', '{"passages": ["refunds", "n1", "n2", "n3", "n4"], "id"', 1)
    cases.write_text("\n".join(lines) + "\n")
    (notice,) = [n for n in read(root).notices if "corpus" in n]
    assert notice == f"{CORPUS}: holds no passage 'n1', 'n2', 'n3' and more, which cases label."


def test_batching_is_refused_where_somebody_waits(tmp_path: Path) -> None:
    lever: JsonValue = {"extends": "big", "levers": ["batching"]}
    (waits,) = faults_of(write_workspace(tmp_path / "a", evaluation={"variants": {"later": lever}}))
    assert (waits.field, "interactive" in waits.problem) == ("variants.later.serving.interactive", True)
    marked: JsonValue = {"extends": "big", "serving": {"mode": "batch", "interactive": True}}
    marks = faults_of(write_workspace(tmp_path / "b", evaluation={"variants": {"later": marked}}))
    assert "variants.later.serving.interactive" in {f.field for f in marks}
    fine: JsonValue = {"extends": "big", "levers": ["batching"], "serving": {"interactive": False}}
    assert faults_of(write_workspace(tmp_path / "c", evaluation={"variants": {"later": fine}})) == ()
