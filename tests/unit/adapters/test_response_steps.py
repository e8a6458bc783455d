from triaxis.adapters.evidence.tables import response_cells, response_of
from triaxis.domain.case import Step
from triaxis.domain.responses import ImportedResponse


def test_steps_of_an_imported_answer_go_into_evidence_and_back() -> None:
    steps = (Step(name="find", success=False, latency_ms=30.0), Step(name="say", cost_usd=0.5))
    whole = ImportedResponse(variant="past", case_id="a", response="x", steps=steps)
    bare = ImportedResponse(variant="past", case_id="b", response="x")
    assert [response_of(response_cells(response)) for response in (whole, bare)] == [whole, bare]
