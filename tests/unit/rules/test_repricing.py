import json
from dataclasses import replace
from decimal import Decimal

from build_card import a_difference, a_scorecard, a_variant_card, an_estimate, an_objective, some_measures

from triaxis.domain.canonical import canonical_json
from triaxis.domain.evaluation import PriceRow, Prices
from triaxis.domain.repricing import PriceDrift, Repriced
from triaxis.domain.scorecard import Axes, Compared, VariantCard
from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures.repricing import from_table, overridden, price_drift, repriced_json, repriced_text


def a_row(model: str, usd: str = "0.000001", *, source: str = "litellm", cached: str | None = None) -> PriceRow:
    return PriceRow(
        model=model,
        source=source,
        input_cost_per_token=Decimal(usd),
        output_cost_per_token=Decimal("0.000002"),
        cache_read_input_token_cost=None if cached is None else Decimal(cached),
    )


def some_prices(*rows: PriceRow) -> Prices:
    return Prices(rows={row.model: row for row in rows}, table_sha256="t" * 64, litellm_version="1")


STORED = some_prices(a_row("big"), a_row("mine", source="prices.yaml"), a_row("small"))


def test_a_file_replaces_the_rows_that_it_has() -> None:
    dear, unused = a_row("big", "0.00001", source="next.yaml"), a_row("unused")
    prices, kept = overridden(STORED, {"big": dear, "unused": unused})
    assert prices.rows == {**STORED.rows, "big": dear}
    assert kept == ("mine", "small")


def test_a_table_replaces_what_came_from_one_and_no_row_of_the_workspace() -> None:
    table = {"big": a_row("big", "0.00001"), "mine": a_row("mine", "0.5")}
    prices, kept, lacking = from_table(STORED, table.get, sha256="u" * 64, version="2")
    assert (prices.rows["big"], prices.rows["mine"]) == (table["big"], STORED.rows["mine"])
    assert (kept, lacking) == (("mine",), ("small",))
    assert (prices.table_sha256, prices.litellm_version) == ("u" * 64, "2")


def test_drift_is_every_price_that_differs_in_percent() -> None:
    """From 1 to 1.25 dollars a million is a quarter more; what one table lacks has no percentage."""
    after = some_prices(a_row("big", "0.00000125", cached="0.0000001"), a_row("small"), a_row("new"))
    drift = price_drift(STORED, after)
    assert [(d.model, d.column, d.percent) for d in drift] == [
        ("big", "input_cost_per_token", 25.0),
        ("big", "cache_read_input_token_cost", None),
    ]
    assert price_drift(after, STORED)[1].percent is None
    free = PriceDrift(model="big", column="input_cost_per_token", before=Decimal(0), after=Decimal(1))
    assert free.percent is None


def a_card(usd: float, verdict: str, composite: float | Absent) -> VariantCard:
    """A variant whose cost objective has that verdict."""
    given = some_measures("few")
    objective = an_objective("fail" if verdict == "hold" else "pass", axis="cost", name="cost.per_request")
    against = Compared(
        difference=a_difference(), verdict="worse" if verdict == "hold" else "better", gated=False, margin=None
    )
    card = a_variant_card(
        "hold" if verdict == "hold" else "promote",
        measures=replace(given, cost=replace(given.cost, per_request=an_estimate(usd, 0.0001))),
        objectives=(objective,),
        compared={"cost.per_request": against},
    )
    return replace(card, axes=Axes(latency=0.5, cost=0.5, precision=0.5, composite=composite, binding=None))


def a_repricing() -> Repriced:
    before = a_scorecard(few=a_card(0.002, "promote", 0.8))
    after = a_scorecard(few=a_card(0.005, "hold", 0.7))
    drift = price_drift(STORED, some_prices(a_row("big", "0.00000125", cached="0.0000001")))
    return Repriced(before=before, after=after, prices="the prices of next.yaml", drift=drift, kept=("small",))


def test_the_report_says_what_turned_and_which_prices_differ() -> None:
    assert repriced_text(a_repricing()).splitlines() == [
        "support, scorecard 0123456789abcdef, at the prices of next.yaml: nothing was called, and nothing is written",
        "base: baseline, hold",
        "  a request $0.00200 to $0.00200 (+0.0%)",
        "  a session $0.00300 to $0.00300 (+0.0%)",
        "  composite 0.880",
        "few: promote to hold",
        "  a request $0.00200 to $0.00500 (+150.0%)",
        "  a session $0.00300 to $0.00300 (+0.0%)",
        "  composite 0.800 to 0.700",
        "  cost.per_request pass to fail: because it is so",
        "  cost.per_request against the baseline better to worse",
        "2 prices of 1 model in use differ:",
        "  big input_cost_per_token 0.000001 to 0.00000125 (+25.0%)",
        "  big cache_read_input_token_cost none to 0.0000001",
        "as stored: small",
    ]


def test_what_is_absent_has_no_percentage_and_what_was_stated_stays() -> None:
    given = replace(a_repricing(), drift=(), kept=())
    stated = a_card(0.002, "promote", Absent("no weights"))
    cost = replace(stated.measures.cost, parts={"stated": 0.002}, per_session=Absent("no sessions"))
    unknown = replace(cost, per_request=Absent("no price"))
    before = a_scorecard(few=replace(stated, measures=replace(stated.measures, cost=cost), against_baseline={}))
    after = a_scorecard(few=replace(stated, measures=replace(stated.measures, cost=unknown), against_baseline={}))
    assert repriced_text(replace(given, before=before, after=after)).splitlines()[5:] == [
        "few: promote",
        "  a request $0.00200 to absent",
        "  what its answers were said to have cost stays what it is",
        "no price of a model in use differs",
    ]


def test_a_cost_of_nothing_has_no_percentage() -> None:
    free = a_card(0.0, "promote", 0.8)
    exact = Estimate(value=0.0, low=0.0, high=0.0, level=0.9, n=80, method="exact: the price is 0")
    measures = replace(free.measures, cost=replace(free.measures.cost, per_request=exact))
    text = repriced_text(replace(a_repricing(), before=a_scorecard(few=replace(free, measures=measures))))
    assert "  a request $0.00 to $0.00500" in text.splitlines()


def test_as_json_it_has_both_sides_of_everything() -> None:
    value = json.loads(canonical_json(repriced_json(a_repricing())))
    few = value["variants"]["few"]
    assert few["verdict"] == {"before": "promote", "after": "hold"}
    assert [few["cost"]["per_request"][side]["value"] for side in ("before", "after")] == [0.002, 0.005]
    assert few["axes"] == {"cost": {"before": 0.5, "after": 0.5}, "composite": {"before": 0.8, "after": 0.7}}
    assert few["objectives"] == [{"name": "cost.per_request", "before": "pass", "after": "fail"}]
    assert value["drift"] == [
        {
            "model": "big",
            "column": "input_cost_per_token",
            "before": "0.000001",
            "after": "0.00000125",
            "percent": 25,
        },
        {"model": "big", "column": "cache_read_input_token_cost", "after": "0.0000001"},
    ]
    assert (value["id"], value["prices"], value["kept"]) == ("0123456789abcdef", "the prices of next.yaml", ["small"])
    absent = a_scorecard(few=a_card(0.002, "promote", Absent("no weights")))
    lacking = json.loads(canonical_json(repriced_json(replace(a_repricing(), before=absent))))
    assert lacking["variants"]["few"]["axes"]["composite"]["before"] == {"absent": "no weights"}
