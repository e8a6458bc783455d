from __future__ import annotations

from dataclasses import replace

import pytest
from build_card import an_estimate

from triaxis.domain.truncation import Truncation
from triaxis.domain.variant import Serving
from triaxis.quantities import Absent
from triaxis.rules.levers.checks import LeverFacts, check_lever, cut_rows, equal_share

BEFORE = LeverFacts(
    models=("openai/big",),
    prompts=("p",),
    stops=(),
    caps=(600,),
    serving=Serving(),
    cached_share=0.1,
    p50=an_estimate(900.0),
    tokens=80.0,
)


def a_row(n: int, of: int, cap: int | None = 300, **where: str) -> Truncation:
    return Truncation(
        reason="length", cap=cap, where=where, n=n, of=of, score=None, against="big", change=Absent("few")
    )


def found(lever: str, ours: LeverFacts, *, same: float | None = None) -> tuple[str, str]:
    check = check_lever(lever, ours, BEFORE, same=same)
    assert check.lever == lever
    return check.outcome, check.says


CUT = (a_row(12, 400), a_row(10, 40, kind="dispute"), a_row(2, 360, kind="faq"))
WHERE_CUT = "12 of 400 answers were cut at 300 tokens. Most in: kind=dispute 10 of 40; kind=faq 2 of 360."
FAST = replace(BEFORE, p50=an_estimate(300.0))
BLIND = replace(BEFORE, p50=Absent("nothing was probed"))
BATCHED = replace(BEFORE, serving=Serving(mode="batch", interactive=False))


@pytest.mark.parametrize(
    ("lever", "ours", "outcome", "says"),
    [
        ("tiering", BEFORE, "broken", "The model is the same: openai/big."),
        ("tiering", replace(BEFORE, models=("openai/small",)), "holds", "openai/small in place of openai/big."),
        ("fine_tuning", replace(BEFORE, models=("openai/ft",)), "holds", "openai/ft in place of openai/big."),
        ("prompt_caching", replace(BEFORE, cached_share=None), "unknown", "Nobody reported cached tokens"),
        ("prompt_caching", replace(BEFORE, cached_share=0.9), "holds", "90.0% of prompt tokens"),
        ("prompt_caching", BEFORE, "broken", "10.0% of prompt tokens"),
        ("prompt_caching", replace(BEFORE, cached_share=0.9, prompts=("q",)), "broken", "The prompt is another one"),
        ("max_tokens", BEFORE, "broken", "The cap is the same."),
        ("max_tokens", replace(BEFORE, caps_known=False), "unknown", "do not say what capped them"),
        ("max_tokens", replace(BEFORE, caps=(300,)), "holds", "No answer was cut."),
        ("max_tokens", replace(BEFORE, caps=(300,), cut=CUT), "holds", WHERE_CUT),
        ("max_tokens", replace(BEFORE, caps=(), cut=(a_row(1, 4, None),)), "holds", "1 of 4 answers were cut."),
        ("stop", BEFORE, "broken", "What ends an answer is the same."),
        ("stop", replace(BEFORE, stops=("x",), tokens=None), "unknown", "No tokens were reported"),
        ("stop", replace(BEFORE, stops=("x",), tokens=20.0), "holds", "20.0 tokens an answer, 80.0 before."),
        ("stop", replace(BEFORE, stops=("x",)), "broken", "80.0 tokens an answer"),
        ("batching", BEFORE, "broken", "priced live"),
        ("batching", BATCHED, "holds", "nobody waits"),
        ("retrieval", BEFORE, "broken", "Nothing is retrieved"),
        ("retrieval", replace(BEFORE, recall=Absent("none")), "unknown", "No case labels"),
        ("retrieval", replace(BEFORE, recall=an_estimate(0.8)), "holds", "80.0% of the labelled passages were found."),
        ("human_review", BEFORE, "unknown", "in its own place"),
    ],
)  # fmt: skip
def test_each_lever_checks_itself(lever: str, ours: LeverFacts, outcome: str, says: str) -> None:
    assert (found(lever, ours)[0], says in found(lever, ours)[1]) == (outcome, True)


def test_a_cache_that_nobody_had_before_needs_none_to_compare_with() -> None:
    check = check_lever(
        "prompt_caching", replace(BEFORE, cached_share=0.5), replace(BEFORE, cached_share=None), same=None
    )
    assert (check.outcome, check.says) == ("holds", "50.0% of prompt tokens were read from cache.")


def test_speculation_must_not_change_answers_and_quantisation_may() -> None:
    assert found("speculative_decoding", FAST, same=None) == ("unknown", "No case has an answer from both.")
    kept = "95.0% of answers are the same. Half of them took 300 ms or less, 900 ms before."
    assert found("speculative_decoding", FAST, same=0.95) == ("holds", kept)
    assert found("speculative_decoding", FAST, same=0.5)[0] == "broken"
    assert found("quantization", FAST, same=0.5)[0] == "holds"
    assert "nothing is known of speed" in found("quantization", BLIND, same=0.5)[1]


def test_answers_are_compared_word_for_word() -> None:
    assert equal_share({1: 7, 2: 8, 3: 9}, {1: 7, 2: 5, 4: 9}) == 0.5
    assert equal_share({1: 7}, {2: 7}) is None


def test_only_answers_that_a_cap_cut_are_cut() -> None:
    assert cut_rows([*CUT, replace(CUT[0], reason="stop")]) == CUT
