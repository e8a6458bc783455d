"""Evidence on disk: what is written comes back, equal rows make equal bytes, and it can give the store back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from build_imports import a_bare_response, a_response
from build_store import (
    a_case,
    a_generation,
    a_judgment,
    a_probe,
    a_row,
    a_store,
    a_validation,
    an_attempt,
    an_intention,
    key,
    rich_inputs,
)

from triaxis.adapters.evidence import tables
from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.parquet import attempts as parquet_attempts
from triaxis.adapters.parquet import columns as parquet_columns
from triaxis.adapters.parquet import rows as parquet
from triaxis.domain.difference import Difference
from triaxis.domain.keys import Keys
from triaxis.domain.measures import (
    CostMeasures,
    Counts,
    DimensionMeasures,
    LatencyMeasures,
    Measures,
    ObjectiveMeasure,
    VariantMeasures,
)
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import Abstained, Failed, Reply, Scored
from triaxis.errors import StoreDamaged
from triaxis.quantities import Above, Absent, Estimate, Money, Tokens
from triaxis.rules.truth.importing import generation
from triaxis.steps.calls import restore


@pytest.fixture
def evidence(tmp_path: Path) -> FileEvidence:
    return FileEvidence(tmp_path / "reports")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_inputs_come_back_as_they_were(evidence: FileEvidence) -> None:
    evidence.write_inputs(rich_inputs(), a_validation(), {"dataset_sha256": "ab"})
    assert evidence.inputs() == rich_inputs()
    assert evidence.validation() == a_validation()
    assert list(evidence.case_ids()) == [case.id for case in rich_inputs().cases]
    assert evidence.hashes() == {"dataset_sha256": "ab"}


def test_inputs_are_read_once_until_a_file_changes(evidence: FileEvidence, tmp_path: Path) -> None:
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    first = evidence.inputs()
    assert evidence.inputs() is first
    prices = tmp_path / "reports/evidence/inputs/prices.json"
    prices.write_text(prices.read_text().replace('"source":"table"', '"source":"prices.yaml"'))
    assert evidence.inputs() is not first
    evidence.write_inputs(replace(rich_inputs(), name="other"), a_validation(), {})
    assert evidence.inputs().name == "other"
    prices.unlink()
    with pytest.raises(StoreDamaged, match=r"prices\.json is not there"):
        evidence.inputs()


def test_inputs_are_the_files_that_stages_depend_on(evidence: FileEvidence, tmp_path: Path) -> None:
    """Fixed names, evaluator code as a file of its own, and nothing left of an earlier evaluation."""
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    folder = tmp_path / "reports/evidence/inputs"
    (folder / "evaluators/old.py").write_text("gone")
    (folder / "deeper").mkdir()
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    files = contents(folder)
    assert sorted(files) == [
        "cases.parquet",
        "evaluators/index.json",
        "evaluators/own.py",
        "hashes.json",
        "labels.parquet",
        "prices.json",
        "responses.parquet",
        "rubric.json",
        "slo.json",
        "validation.json",
        "variants.json",
    ]
    assert files["evaluators/own.py"] == b"def f(c, a):\r\n  return 1\n"
    assert b"def f" not in files["rubric.json"]
    assert json.loads(files["evaluators/index.json"]) == {"evaluators/own.py": "evaluators/own.py"}
    assert not (folder / "deeper").exists()


def test_equal_inputs_leave_the_files_untouched(evidence: FileEvidence, tmp_path: Path) -> None:
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    before = (tmp_path / "reports/evidence/inputs/slo.json").stat().st_mtime_ns
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    assert (tmp_path / "reports/evidence/inputs/slo.json").stat().st_mtime_ns == before


def some_generations() -> list[Any]:
    empty = Reply(text="", finish_reason=None, usage=Tokens())
    refused = Reply(text="no", finish_reason="content_filter", usage=Tokens(), refusal="not that")
    filtered = replace(a_generation(3), row=a_row(3, outcome="terminal", error="content_filter"), reply=refused)
    silent = replace(
        a_generation(4), row=a_row(4, outcome="terminal", error="timeout", raw=""), reply=None, attempts=()
    )
    odd = replace(a_generation(5), row=a_row(5, endpoint=None, busy_core_s=0.5), reply=empty, attempts=())
    other = a_generation(1, variant="capped")
    return [a_generation(1), a_generation(2), a_generation(2, sample=1), filtered, silent, odd, other]


def test_generations_come_back_in_order(evidence: FileEvidence) -> None:
    evidence.write_generations(some_generations())
    assert list(evidence.generations()) == some_generations()
    bare = [replace(generation, attempts=()) for generation in some_generations()]
    assert list(evidence.generations(attempts=False)) == bare != some_generations()


def test_the_order_in_which_rows_came_does_not_show(evidence: FileEvidence, tmp_path: Path) -> None:
    path = tmp_path / "reports/evidence/generations.parquet"
    evidence.write_generations(some_generations())
    straight = path.read_bytes()
    for seed in range(3):
        shuffled = some_generations()
        random.Random(seed).shuffle(shuffled)
        evidence.write_generations(shuffled)
        assert path.read_bytes() == straight
    assert [p.name for p in path.parent.iterdir()] == ["generations.parquet"]


def test_a_writer_that_fails_leaves_the_old_file(evidence: FileEvidence, tmp_path: Path) -> None:
    evidence.write_generations([a_generation(1)])
    before = contents(tmp_path)

    def broken() -> Any:
        yield a_generation(2)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        evidence.write_generations(broken())
    assert contents(tmp_path) == before


def test_judgments_come_back_with_the_rows_behind_them(evidence: FileEvidence) -> None:
    plain = a_judgment(1, dimension="exact", judge=None, rows=(), attempts=(), outcome=Scored(1.0))
    unread = a_judgment(2, outcome=Abstained("no score in the reply"))
    failed = a_judgment(3, outcome=Failed("content_filter"), rows=(), attempts=())
    judgments = [plain, a_judgment(1), unread, failed]
    evidence.write_judgments(reversed(judgments))
    assert list(evidence.judgments()) == judgments


def test_probes_come_back_without_warm_up_and_blocks(evidence: FileEvidence) -> None:
    cut = a_probe(2, first_ns=None, last_ns=None, error="timeout", usage=Tokens())
    requests = [a_probe(0), a_probe(1), cut, a_probe(0, block=1), a_probe(0, variant="capped")]
    block = a_row(5000, kind="probe", raw="[]", busy_core_s=2.5)
    sent = [an_attempt(5000, part=1), an_attempt(5000, part=0), an_intention(5001)]
    evidence.write_probes([*reversed(requests), a_probe(-1)], [block], sent)
    assert list(evidence.probes()) == requests
    assert len(evidence.columns("probes", ["block"])) == len(requests)
    assert set(evidence.paid_keys("probes")) == {key(5000), key(5001)}
    assert list(evidence.paid("probes", Keys.of([key(5000), key(5001), key(1)]))) == [
        (block, (an_attempt(5000, part=0), an_attempt(5000, part=1))),
        (None, (an_intention(5001),)),
    ]
    assert [(variant, len(some)) for variant, some in evidence.attempts("probes")] == [("base", 3), ("capped", 2)]


def test_columns_are_codes_numbers_and_texts(evidence: FileEvidence) -> None:
    evidence.write_generations(some_generations())
    columns = evidence.columns("generations", ["variant", "case_id", "input_tokens", "answer", "error"])
    assert len(columns) == 7
    codes, names = columns.codes("variant")
    assert names == ("base", "capped")
    assert codes.tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert codes.dtype == np.int32
    errors, reasons = columns.codes("error")
    assert reasons == ("content_filter", "timeout")
    assert errors.tolist() == [-1, -1, -1, 0, 1, -1, -1]
    np.testing.assert_array_equal(
        columns.floats("input_tokens"), [101, 102, 102, np.nan, np.nan, np.nan, 101]
    )  # 100 + the case's number where usage was reported
    assert list(columns.texts("answer")) == ["answer 1", "answer 2", "answer 2", None, None, "", "answer 1"]


def test_attempts_are_listed_by_variant(evidence: FileEvidence) -> None:
    """Two repeats that share a row name its attempts twice; another variant that uses it names them too."""
    shared = replace(a_generation(1, sample=1), row=a_row(1))
    evidence.write_generations([a_generation(1), shared, a_generation(1, variant="capped")])
    listed = [(variant, some.at_ns.tolist()) for variant, some in evidence.attempts("generations")]
    sent = [an_intention(1, at_ns=5).at_ns, an_attempt(1).at_ns]
    assert listed == [("base", [*sent, *sent]), ("capped", sent)]
    evidence.write_judgments([a_judgment(1), a_judgment(1, dimension="x"), a_judgment(2, attempts=())])
    ((variant, judged),) = evidence.attempts("judgments")
    assert (variant, judged.keys.texts()) == ("base", [key(1001), key(2001)] * 2)


def test_attempts_that_arrow_cannot_read_are_read_by_python(evidence: FileEvidence) -> None:
    """Half of a surrogate pair is JSON to Python, and none to Arrow."""
    odd = an_attempt(1, outcome="failed", error="\ud800", usage=None)
    evidence.write_generations([a_generation(1, attempts=(odd, an_attempt(1))), a_generation(2)])
    ((_, read),) = evidence.attempts("generations")
    assert read.answered.tolist()[:2] == [False, True]
    assert read.usage.tolist()[:2] == [[-1] * 5, [101, -1, -1, 50, -1]]
    assert read.model_names == ("openai/small",)


def test_a_variant_that_ends_within_a_part_goes_on_in_the_next(
    evidence: FileEvidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups of two rows, one a part."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    monkeypatch.setattr(parquet_attempts, "AT_ONCE", 1)
    monkeypatch.setattr(parquet_columns, "AT_ONCE", 1)
    made = [a_generation(n, variant=variant) for variant, last in (("base", 6), ("capped", 4)) for n in range(1, last)]
    evidence.write_generations(made)
    assert [(v, len(set(some.keys.texts()))) for v, some in evidence.attempts("generations")] == [
        ("base", 5),
        ("capped", 3),
    ]
    parts = list(evidence.parts("generations", ["case_id", "stated_usd"]))
    assert [len(part) for part in parts] == [2, 2, 2, 2]
    assert [part.codes("case_id")[1] for part in parts][:3] == [
        ("c-001", "c-002"),
        ("c-003", "c-004"),
        ("c-001", "c-005"),
    ]


def test_a_table_without_rows_has_one_empty_part(evidence: FileEvidence) -> None:
    evidence.write_judgments([])
    ((codes, names),) = (part.codes("dimension") for part in evidence.parts("judgments", ["dimension", "score"]))
    assert (codes.tolist(), names) == ([], ())
    assert list(evidence.attempts("judgments")) == []


def test_evidence_gives_back_the_paid_rows(evidence: FileEvidence) -> None:
    assert len(evidence.paid_keys("generations")) == 0
    assert list(evidence.paid("judgments", Keys.of([key(1)]))) == []
    evidence.write_generations(some_generations())
    evidence.write_judgments([a_judgment(1), a_judgment(2, rows=(a_row(1001),), attempts=())])
    assert key(1) in evidence.paid_keys("generations").texts()
    assert set(evidence.paid_keys("judgments")) == {key(1001), key(2001)}
    generated = list(evidence.paid("generations", Keys.of([key(1), key(77)])))
    assert set(generated) == {(a_row(1), (an_intention(1, at_ns=5), an_attempt(1)))}
    judged = list(evidence.paid("judgments", Keys.of([key(2001)])))
    assert {row for row, _ in judged} == {None, a_row(1001), a_row(2001)}
    assert [attempts for _, attempts in judged if attempts] == [(an_attempt(1001), an_attempt(2001))]


def test_a_store_remade_from_evidence_remakes_the_same_evidence(evidence: FileEvidence, tmp_path: Path) -> None:
    evidence.write_generations([a_generation(1), a_generation(2)])
    before = contents(tmp_path / "reports")
    keys = [key(1), key(2)]
    store = a_store(tmp_path)
    restore("generations", store=store, evidence=evidence)

    rows, attempts = store.rows(keys), store.attempts(keys)
    remade = [replace(a_generation(n), row=rows[key(n)], attempts=attempts[key(n)]) for n in (1, 2)]
    other = FileEvidence(tmp_path / "other")
    other.write_generations(remade)
    assert contents(tmp_path / "other") == before


def full(evidence: FileEvidence) -> FileEvidence:
    evidence.write_generations(some_generations())
    evidence.write_probes([a_probe(0)], [a_row(5000, kind="probe")], [an_attempt(5000)])
    evidence.write_judgments([a_judgment(1)])
    return evidence


def test_the_evidence_hash_is_over_content(evidence: FileEvidence, tmp_path: Path) -> None:
    """Any change of a row changes it; grouping, compression and order of arrival do not."""
    straight = full(evidence).evidence_sha256()
    again = full(FileEvidence(tmp_path / "again"))
    again.write_generations(reversed(some_generations()))
    assert again.evidence_sha256() == straight
    for change in (
        {"row": a_row(2, raw="other")},
        {"row": a_row(2, latency_ms=1.0)},
        {"attempts": ()},
        {"case_id": "c-0020"},
    ):
        generations = some_generations()
        generations[1] = replace(generations[1], **change)
        again.write_generations(generations)
        assert again.evidence_sha256() != straight


def an_estimate(value: float = 0.5) -> Estimate:
    return Estimate(value=value, low=0.1, high=0.9, level=0.9, n=12.0, method="wilson")


def test_measures_come_back_as_they_were(evidence: FileEvidence) -> None:
    variant = VariantMeasures(
        name="base",
        levers=("stop",),
        route_arms={"simple": "small"},
        n=Counts(cases=2, generated=2, failed=0, probed=0),
        error_rate=an_estimate(),
        latency=LatencyMeasures(
            quantiles={"full": {"p95": Above(60.0), "p50": an_estimate(250.0)}}, successes={}, facts=None
        ),
        cost=CostMeasures(
            per_request=an_estimate(0.001),
            per_session=Absent("no sessions"),
            per_month=Absent("no traffic"),
            parts={"input": 0.0001},
            cached_share=None,
            cached_share_source="unknown",
            judge_usd=Money.of("0.0100"),
            spent_usd=Money.of("1.5"),
            possible_usd=Money.of(0),
        ),
        precision={
            "exact": DimensionMeasures(
                overall=an_estimate(1.0),
                answered_only=Absent("too few"),
                scored=2,
                abstained=0,
                failed=0,
                unvalidated=False,
                slices={"kind": {"faq": an_estimate()}},
            )
        },
        objectives=(ObjectiveMeasure(estimate=an_estimate(), if_abstained_fail=Absent("x")),),
        against_baseline={
            "a": Absent("rates differ"),
            "b": Difference(difference=0.1, low=0.0, high=0.2, level=0.9, n=3.0, method="bootstrap", baseline=0.5),
        },
    )
    measures = Measures(variants={"base": variant}, evidence_sha256="ab", weighted_to_mix=True)
    evidence.write_measures(measures)
    assert evidence.measures() == measures


def test_json_is_canonical(evidence: FileEvidence, tmp_path: Path) -> None:
    evidence.write_json("scorecard.json", {"b": 1.0, "a": ["é", None]})
    assert (tmp_path / "reports/scorecard.json").read_bytes() == '{"a":["é",null],"b":1}\n'.encode()
    assert evidence.read_json("scorecard.json") == {"a": ["é", None], "b": 1}


@pytest.mark.parametrize(
    ("name", "content", "says", "read"),
    [
        ("evidence/measures.json", b"{", "measures.json is damaged", FileEvidence.measures),
        ("evidence/measures.json", b'{"variants": 3}', "this is not a measures", FileEvidence.measures),
        ("evidence/inputs/slo.json", b'{"owner": 3}', "slo.json is damaged", FileEvidence.inputs),
        ("evidence/generations.parquet", b"PAR1 no", "generations.parquet is damaged", FileEvidence.evidence_sha256),
    ],
)
def test_a_damaged_file_is_named(
    evidence: FileEvidence, tmp_path: Path, *, name: str, content: bytes, says: str, read: Callable[..., object]
) -> None:
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    (tmp_path / "reports" / name).write_bytes(content)
    with pytest.raises(StoreDamaged, match=says):
        read(evidence)


def test_a_missing_file_names_the_stage_that_makes_it(evidence: FileEvidence) -> None:
    for read, stage in (
        (evidence.inputs, "prepare"),
        (lambda: list(evidence.generations()), "generate"),
        (lambda: evidence.columns("probes", ["block"]), "probe"),
        (evidence.evidence_sha256, "generate"),
        (evidence.measures, "run"),
    ):
        with pytest.raises(StoreDamaged, match=f"triaxis {stage}"):
            read()
    assert evidence.hashes() == {}


def test_no_rubric_code_still_leaves_a_folder_for_dvc(evidence: FileEvidence, tmp_path: Path) -> None:
    rubric = replace(rich_inputs().rubric, dimensions=rich_inputs().rubric.dimensions[:1])
    evidence.write_inputs(rich_inputs(rubric=rubric, cases=(a_case("a"),), labels=()), a_validation(), {})
    folder = tmp_path / "reports/evidence/inputs/evaluators"
    assert [p.name for p in folder.iterdir()] == ["index.json"]
    assert evidence.inputs().labels == ()


def some_responses() -> list[ImportedResponse]:
    """By variant, case and repeat."""
    return [
        a_bare_response("a", variant="now", error="timeout"),
        a_response("a"),
        a_response("a", sample=1, response="", cost_usd=0.0, prompt_tokens=0, cached_tokens=0),
        a_bare_response("b", body='{"choices":[]}'),
    ]


def test_imported_outputs_come_back_in_order(evidence: FileEvidence, tmp_path: Path) -> None:
    """Whatever the order in which they came; of none there is a file too, since stages depend on it."""
    path = tmp_path / "reports/evidence/inputs/responses.parquet"
    evidence.write_inputs(rich_inputs(), a_validation(), {}, iter(some_responses()))
    straight = path.read_bytes()
    evidence.write_inputs(rich_inputs(), a_validation(), {}, reversed(some_responses()))
    assert list(evidence.responses()) == some_responses()
    assert path.read_bytes() == straight
    evidence.write_inputs(rich_inputs(), a_validation(), {})
    assert list(evidence.responses()) == []
    path.unlink()
    with pytest.raises(StoreDamaged, match=r"responses\.parquet is not there; `triaxis prepare` makes it"):
        list(evidence.responses())


def test_imported_answers_come_back_as_what_they_are(evidence: FileEvidence) -> None:
    made = [generation(response, None) for response in some_responses()]
    evidence.write_generations(made)
    assert list(evidence.generations()) == made
    stated = evidence.columns("generations", ["stated_usd", "outcome"]).floats("stated_usd")
    np.testing.assert_array_equal(stated, [np.nan, 0.002, 0.0, np.nan])
    assert [(v, len(some)) for v, some in evidence.attempts("generations")] == [("now", 0), ("past", 0)]
    assert not len(evidence.paid_keys("generations"))


def test_evidence_of_an_earlier_release_is_read_without_what_it_lacks(evidence: FileEvidence, tmp_path: Path) -> None:
    """Its answers are paid for: a column that it does not have must not lose them."""
    evidence.write_generations(some_generations())
    path = tmp_path / "reports/evidence/generations.parquet"
    older: parquet.Layout = {name: kind for name, kind in tables.GENERATIONS.items() if name != "stated_usd"}
    parquet.write_table(path, older, list(parquet.scan(path, list(older))))
    assert list(evidence.generations()) == some_generations()
    bare = [replace(generation, attempts=()) for generation in some_generations()]
    assert list(evidence.generations(attempts=False)) == bare != some_generations()
    assert np.isnan(evidence.columns("generations", ["stated_usd", "variant"]).floats("stated_usd")).all()
    paid = evidence.paid("generations", Keys.of([key(1)]))
    assert {row.key for row, _ in paid if row is not None} == {key(1)}
    evidence.write_probes([], [], [])
    evidence.write_judgments([])
    assert len(evidence.evidence_sha256()) == 64
