"""What calls cost: token counts and CPU-seconds times the pinned price row, in exact decimals.

Money is summed as decimals times whole tokens; only the per-request dollars that statistics are made of are floats.
Where a price row lacks a column, this is what stands in for it:

    cached reads        the full input price: no discount is known
    cache writes        the full input price
    reasoning           the output price
    batch, cached       the batch input price, and batch cache writes the live one: the table has no such batch columns,
                        so both are bounds from above
    batch, no column    nothing, unless it is free live: a batch cost without a batch price is absent, never a flat half
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Attempt
from triaxis.quantities import NO_MONEY, Absent, Money, Tokens

Mode: TypeAlias = Literal["live", "batch"]
Floats: TypeAlias = NDArray[np.float64]

_KINDS = ("input", "cached", "cache_write", "output", "reasoning")
_SECONDS_PER_HOUR = Decimal(3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Dollars a token by kind, and dollars a busy second of a self-hosted server."""

    input: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    cache_write: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    reasoning: Decimal = Decimal(0)
    compute: Decimal | None = None
    """None where nothing is self-hosted, so that busy seconds cost nothing."""
    counts_tokens: bool = False
    """Whether tokens have a price, so that a call without usage cannot be priced."""


def rates(row: PriceRow, mode: Mode = "live") -> Rates | Absent:
    """The rates of a price row in a mode; a row may price tokens, busy time, or both, which then add up."""
    compute = _compute_rate(row)
    if row.input_cost_per_token is None and row.output_cost_per_token is None and compute is not None:
        return Rates(compute=compute)
    if mode == "live":
        prompt, completion = row.input_cost_per_token, row.output_cost_per_token
        cached, reasoning = row.cache_read_input_token_cost, row.output_cost_per_reasoning_token
    else:
        prompt = _batch_price(row.input_cost_per_token_batches, row.input_cost_per_token)
        completion = _batch_price(row.output_cost_per_token_batches, row.output_cost_per_token)
        cached = reasoning = None
    if prompt is None or completion is None:
        return Absent(f"{row.model} has no {mode} price")
    return Rates(
        input=prompt,
        cached=prompt if cached is None else cached,
        cache_write=prompt if row.cache_creation_input_token_cost is None else row.cache_creation_input_token_cost,
        output=completion,
        reasoning=completion if reasoning is None else reasoning,
        compute=compute,
        counts_tokens=True,
    )


def _batch_price(stated: Decimal | None, live: Decimal | None) -> Decimal | None:
    """The batch column; what is free live is free in a batch."""
    return live if stated is None and live == 0 else stated


def _compute_rate(row: PriceRow) -> Decimal | None:
    hourly = [usd for usd in (row.usd_per_core_hour, row.usd_per_gpu_hour) if usd is not None]
    return sum(hourly, Decimal(0)) / _SECONDS_PER_HOUR if hourly else None


def call_cost(usage: Tokens, row: PriceRow, *, mode: Mode = "live", busy_core_s: float | None = None) -> Money | Absent:
    """What one call cost; absent where its tokens or its busy seconds were not reported, or its mode has no price."""
    priced = rates(row, mode)
    if isinstance(priced, Absent):
        return priced
    if priced.counts_tokens and not usage.known:
        return Absent("the provider reported no usage")
    if priced.compute is not None and busy_core_s is None:
        return Absent("the server reported no busy time")
    return Money(_tokens_usd(usage, priced) + _compute_usd(busy_core_s, priced))


def _tokens_usd(usage: Tokens, priced: Rates) -> Decimal:
    return sum(((getattr(usage, kind) or 0) * getattr(priced, kind) for kind in _KINDS), Decimal(0))


def _compute_usd(busy_s: float | None, priced: Rates) -> Decimal:
    return Decimal(str(busy_s)) * priced.compute if busy_s is not None and priced.compute is not None else Decimal(0)


def upper_cost(
    upper: Tokens, row: PriceRow, *, mode: Mode = "live", busy_core_s: float | None = None, calls: int = 1
) -> Money:
    """The most a call can cost: every prompt and completion token at the dearest price it could be billed at.

    An unknown completion counts as `max_output_tokens` of the row, for each of the calls that are counted together. A
    mode without a price is bounded by the live one. A
    self-hosted call costs its busy seconds, where a bound of them is given, and otherwise nothing: nobody bills it.
    """
    priced = rates(row, mode)
    if isinstance(priced, Absent):
        priced = rates(row)
    if isinstance(priced, Absent):
        return NO_MONEY
    prompt = sum(count or 0 for count in (upper.input, upper.cached, upper.cache_write))
    completion = upper.output if upper.output is not None else calls * (row.max_output_tokens or 0)
    return Money(
        prompt * max(priced.input, priced.cached, priced.cache_write)
        + (completion + (upper.reasoning or 0)) * max(priced.output, priced.reasoning)
        + _compute_usd(busy_core_s, priced)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What one call was said to be billed by, or many that are priced alike, with their counts summed."""

    usage: Tokens
    """What came back; no counts where nothing did."""
    upper: Tokens
    """No more than this can have been billed."""
    mode: Mode
    may_bill: bool
    busy_core_s: float | None = None
    """Of one answered call alone: a rate a second is seldom a finite decimal, and sums of its products are rounded."""
    calls: int = 1


def bracket(billed: Billed, row: PriceRow) -> tuple[Decimal, Decimal]:
    """Known dollars, or else possible ones, at the upper bound of what may have been billed without saying so."""
    cost = call_cost(billed.usage, row, mode=billed.mode, busy_core_s=billed.busy_core_s)
    if isinstance(cost, Money):
        return cost.usd, Decimal(0)
    if not billed.may_bill:
        return Decimal(0), Decimal(0)
    return Decimal(0), upper_cost(billed.upper, row, mode=billed.mode, calls=billed.calls).usd


def spend(
    attempts: Iterable[Attempt],
    rows_by_model: Mapping[str, PriceRow],
    busy: Mapping[str, float | None] | None = None,
) -> tuple[Money, Money]:
    """What the attempts are known to have cost, each at the price of its way, and what they may have cost on top.

    Known are those whose usage came back, failed ones among them, and the busy seconds of answered self-hosted calls
    (`busy`, by key). Possible, at their upper bound, are those of unknown fate and those that may have been billed
    without saying so. The provider's ledger lies between known and known + possible.
    """
    known = possible = Decimal(0)
    busy = busy or {}
    for attempt in attempts:
        billed = Billed(
            usage=attempt.usage or Tokens(),
            upper=attempt.upper,
            mode=mode_of(attempt),
            may_bill=attempt.may_bill,
            busy_core_s=busy.get(attempt.key) if attempt.outcome == "answered" else None,
        )
        more, at_most = bracket(billed, rows_by_model[attempt.model])
        known, possible = known + more, possible + at_most
    return Money(known), Money(possible)


def mode_of(attempt: Attempt) -> Mode:
    """The prices that an attempt is billed at."""
    return "live" if attempt.batch is None else "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageColumns:
    """Token counts of many calls, kind by kind as in `Tokens`, and busy seconds; NaN is what nobody reported."""

    input: Floats
    cached: Floats
    cache_write: Floats
    output: Floats
    reasoning: Floats
    busy_core_s: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """The calls whose tokens were counted on both sides."""
        return ~(np.isnan(self.input) | np.isnan(self.output))

    @property
    def cached_share(self) -> float | None:
        """Share of prompt tokens read from cache, over the calls that report it; None where none does."""
        told = self.known & ~np.isnan(self.cached)
        cached = self.cached[told].sum()
        prompt = self.input[told].sum() + cached + np.nansum(self.cache_write[told])
        return float(cached / prompt) if prompt else None

    def with_cached_share(self, share: float) -> UsageColumns:
        """The same prompts with `share` of each read from cache; the rest keeps its own share of cache writes."""
        written = np.nan_to_num(self.cache_write)
        fresh = self.input + written
        prompt = fresh + np.nan_to_num(self.cached)
        write_share = np.divide(written, fresh, out=np.zeros_like(fresh), where=fresh > 0)
        rest = prompt * (1 - share)
        return replace(self, input=rest * (1 - write_share), cached=prompt * share, cache_write=rest * write_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostColumns:
    """Dollars of many calls by kind; NaN where a call cannot be priced."""

    input: Floats
    cached: Floats
    cache_write: Floats
    output: Floats
    reasoning: Floats
    compute: Floats
    stated: Floats
    """Dollars that an imported answer is said to have cost, of which no parts are known."""

    @property
    def total(self) -> Floats:
        """Dollars a call."""
        tokens = self.input + self.cached + self.cache_write + self.output + self.reasoning
        return tokens + self.compute + self.stated

    @property
    def parts(self) -> Mapping[str, Floats]:
        """The kinds by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def call_costs(usage: UsageColumns, row: PriceRow, *, mode: Mode = "live") -> CostColumns | Absent:
    """`call_cost` of many calls of one model."""
    priced = rates(row, mode)
    if isinstance(priced, Absent):
        return priced
    countable = _countable(usage, priced)
    usd = {kind: np.nan_to_num(getattr(usage, kind)) * float(getattr(priced, kind)) for kind in _KINDS}
    usd["compute"] = np.nan_to_num(usage.busy_core_s) * float(priced.compute or 0)
    usd["stated"] = np.zeros(len(countable))
    return CostColumns(**{kind: np.where(countable, column, np.nan) for kind, column in usd.items()})


def exact_total(usage: UsageColumns, row: PriceRow, *, mode: Mode = "live") -> Money | Absent:
    """The sum over the calls that can be priced: whole counts are summed before they meet a price, so it is exact."""
    priced = rates(row, mode)
    if isinstance(priced, Absent):
        return priced
    countable = _countable(usage, priced)
    sums = {kind: int(np.nansum(getattr(usage, kind)[countable])) for kind in _KINDS}
    usd = sum((count * getattr(priced, kind) for kind, count in sums.items()), Decimal(0))
    busy = sum((Decimal(str(s)) for s in usage.busy_core_s[countable].tolist()), Decimal(0)) if priced.compute else 0
    return Money(usd + busy * (priced.compute or 0))


def _countable(usage: UsageColumns, priced: Rates) -> NDArray[np.bool_]:
    """The calls that report everything which has a price."""
    countable = usage.known if priced.counts_tokens else np.ones(len(usage.input), dtype=np.bool_)
    return countable if priced.compute is None else countable & ~np.isnan(usage.busy_core_s)
