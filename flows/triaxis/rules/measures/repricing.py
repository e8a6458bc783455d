"""Other prices for the same rows: which row each model has then, what differs, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from decimal import Decimal

from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import PriceRow, Prices
from triaxis.domain.measures import CostMeasures
from triaxis.domain.repricing import PriceDrift, Repriced
from triaxis.domain.scorecard import VariantCard
from triaxis.quantities import Estimate, Measure, Money
from triaxis.rules.cards.values import Json, measure_json, number
from triaxis.rules.names import COST_PER_REQUEST
from triaxis.rules.words import counted, score, value_text

LITELLM = "litellm"
_NO_PRICES = frozenset({"model", "source", "max_output_tokens"})
COLUMNS = tuple(f.name for f in fields(PriceRow) if f.name not in _NO_PRICES)
_PER: Mapping[str, Callable[[CostMeasures], Measure]] = {
    "request": lambda cost: cost.per_request,
    "session": lambda cost: cost.per_session,
    "month": lambda cost: cost.per_month,
}


def overridden(stored: Prices, own: Mapping[str, PriceRow]) -> tuple[Prices, tuple[str, ...]]:
    """The stored prices with rows of a workspace's file in their place, and the models that it does not speak of."""
    rows = {model: own.get(model, row) for model, row in stored.rows.items()}
    return replace(stored, rows=rows), tuple(sorted(rows.keys() - own.keys()))


def from_table(
    stored: Prices, row_of: Callable[[str], PriceRow | None], *, sha256: str, version: str
) -> tuple[Prices, tuple[str, ...], tuple[str, ...]]:
    """The stored prices with the rows of another LiteLLM table; a workspace's own rows stand before any table's.

    Returns:
        The prices, the models whose own rows stand, and those that the table has no price for.
    """
    own = {model: row for model, row in stored.rows.items() if row.source != LITELLM}
    found = {model: row_of(model) for model in stored.rows if model not in own}
    rows = {**own, **{model: row for model, row in found.items() if row is not None}}
    prices = Prices(rows=dict(sorted(rows.items())), table_sha256=sha256, litellm_version=version)
    return prices, tuple(sorted(own)), tuple(sorted(model for model, row in found.items() if row is None))


def price_drift(before: Prices, after: Prices) -> tuple[PriceDrift, ...]:
    """Every price column that differs, over the models in use."""
    return tuple(
        PriceDrift(model=model, column=column, before=old, after=new)
        for model in sorted(before.rows.keys() & after.rows.keys())
        for column in COLUMNS
        if (old := _price(before.rows[model], column)) != (new := _price(after.rows[model], column))
    )


def _price(row: PriceRow, column: str) -> Decimal | None:
    found: Decimal | None = getattr(row, column)
    return found


def repriced_json(repriced: Repriced) -> Json:
    """What `reprice --json` prints."""
    before, after = repriced.before.variants, repriced.after.variants
    return {
        "id": repriced.before.id,
        "prices": repriced.prices,
        "prices_sha256": {
            "before": repriced.before.created_from.prices_sha256,
            "after": repriced.after.created_from.prices_sha256,
        },
        "variants": {name: _variant_json(before[name], after[name]) for name in before},
        "drift": [_drift_json(drift) for drift in repriced.drift],
        "kept": list(repriced.kept),
    }


def _variant_json(before: VariantCard, after: VariantCard) -> Json:
    costs, other = before.measures.cost, after.measures.cost
    changed: list[JsonValue] = [
        {"name": old.name, "before": old.verdict, "after": new.verdict}
        for old, new in zip(before.objectives, after.objectives, strict=True)
        if old.verdict != new.verdict
    ]
    return {
        "verdict": {"before": before.verdict, "after": after.verdict},
        "cost": {
            f"per_{per}": {"before": measure_json(of(costs)), "after": measure_json(of(other))}
            for per, of in _PER.items()
        },
        "axes": {
            axis: {"before": _axis(getattr(before.axes, axis)), "after": _axis(getattr(after.axes, axis))}
            for axis in ("cost", "composite")
        },
        "objectives": changed,
    }


def _axis(value: object) -> JsonValue:
    return number(value) if isinstance(value, float) else {"absent": str(getattr(value, "why", ""))}


def _drift_json(drift: PriceDrift) -> Json:
    value: Json = {"model": drift.model, "column": drift.column}
    for key, price in (("before", drift.before), ("after", drift.after)):
        if price is not None:
            value[key] = Money(price).text()
    return value if drift.percent is None else {**value, "percent": number(drift.percent)}


def repriced_text(repriced: Repriced) -> str:
    """What `reprice` prints."""
    card = repriced.before
    head = f"{card.name}, scorecard {card.id}, at {repriced.prices}: nothing was called, and nothing is written"
    lines = [head, *_variants(repriced), *_drifts(repriced)]
    if repriced.kept:
        lines.append(f"as stored: {', '.join(repriced.kept)}")
    return "\n".join(lines)


def _variants(repriced: Repriced) -> Iterator[str]:
    for name, before in repriced.before.variants.items():
        after = repriced.after.variants[name]
        word = "baseline, " if name == repriced.before.baseline else ""
        yield f"{name}: {word}{_turned(before.verdict, after.verdict)}"
        for per, of in _PER.items():
            old, new = of(before.measures.cost), of(after.measures.cost)
            if isinstance(old, Estimate) or isinstance(new, Estimate):
                yield f"  a {per} {_moved(old, new)}"
        if before.measures.cost.parts.get("stated"):
            yield "  what its answers were said to have cost stays what it is"
        if isinstance(before.axes.composite, float) and isinstance(after.axes.composite, float):
            yield f"  composite {_turned(score(before.axes.composite), score(after.axes.composite))}"
        for old, new in zip(before.objectives, after.objectives, strict=True):
            if old.verdict != new.verdict:
                yield f"  {old.name} {old.verdict} to {new.verdict}: {new.why}"
        yield from _compared(before, after)


def _compared(before: VariantCard, after: VariantCard) -> Iterator[str]:
    old, new = (card.against_baseline.get(COST_PER_REQUEST) for card in (before, after))
    if old is not None and new is not None and old.verdict != new.verdict:
        yield f"  {COST_PER_REQUEST} against the baseline {old.verdict} to {new.verdict}"


def _turned(before: str, after: str) -> str:
    return before if before == after else f"{before} to {after}"


def _moved(before: Measure, after: Measure) -> str:
    text = f"{value_text('cost', before)} to {value_text('cost', after)}"
    if not isinstance(before, Estimate) or not isinstance(after, Estimate) or not before.value:
        return text
    return f"{text} ({_signed(100 * (after.value - before.value) / before.value)})"


def _signed(percent: float) -> str:
    return f"{percent:+.1f}%"


def _drifts(repriced: Repriced) -> Iterator[str]:
    if not repriced.drift:
        yield "no price of a model in use differs"
        return
    models = {drift.model for drift in repriced.drift}
    yield f"{counted(len(repriced.drift), 'prices')} of {counted(len(models), 'models')} in use differ:"
    for drift in repriced.drift:
        change = "" if drift.percent is None else f" ({_signed(drift.percent)})"
        yield f"  {drift.model} {drift.column} {_dollars(drift.before)} to {_dollars(drift.after)}{change}"


def _dollars(price: Decimal | None) -> str:
    return "none" if price is None else Money(price).text()
