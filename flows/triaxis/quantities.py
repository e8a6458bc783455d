"""Quantities with their units: money, tokens, seconds, and what was estimated of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import NewType, TypeAlias

Seconds = NewType("Seconds", float)
"""A duration in seconds."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount of US dollars."""

    usd: Decimal

    @classmethod
    def of(cls, usd: Decimal | float | str) -> Money:
        """The amount written as `usd`; a float counts as its shortest decimal text, never its binary value."""
        return cls(usd if isinstance(usd, Decimal) else Decimal(str(usd)))

    def __add__(self, other: Money) -> Money:
        return Money(self.usd + other.usd)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.usd * factor)

    def text(self) -> str:
        """Plain decimal text without exponent or trailing zeros, the form in which money stands in every file."""
        text = format(self.usd, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


NO_MONEY = Money(Decimal(0))


def total(amounts: Iterable[Money]) -> Money:
    """The exact sum; no amounts make zero."""
    return sum(amounts, NO_MONEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts of one call, in parts that do not overlap; a count that nobody reported is None, not 0."""

    input: int | None = None
    """Prompt tokens billed in full: cached and cache-written ones are not in the count."""
    cached: int | None = None
    """Prompt tokens read from the provider's cache."""
    cache_write: int | None = None
    """Prompt tokens written to the provider's cache, where that has a price of its own."""
    output: int | None = None
    """Completion tokens the user can see: reasoning tokens are not in the count."""
    reasoning: int | None = None
    """Completion tokens spent on hidden reasoning."""

    def __add__(self, other: Tokens) -> Tokens:
        """Sums kind by kind; a kind stays missing unless one side knows it."""
        return Tokens(**{f.name: _plus(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)})

    @property
    def known(self) -> bool:
        """Whether both sides of the call were counted, so that it can be priced."""
        return self.input is not None and self.output is not None


def _plus(a: int | None, b: int | None) -> int | None:
    if a is None:
        return b
    return a if b is None else a + b


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with the interval the data gives it."""

    value: float
    low: float
    high: float
    level: float
    """Two-sided coverage the interval claims, such as 0.90."""
    n: float
    """Independent units behind it: requests, cases or clusters, as the method says."""
    method: str
    """The name of the method, as the page on numbers lists it."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing can be said, and why; never 0, NaN or an interval of no width."""

    why: str


@dataclass(frozen=True, slots=True)
class Above:
    """A quantile that landed on a failed or timed-out request: all that is known is that it exceeds `limit`."""

    limit: float


Measure: TypeAlias = Estimate | Above | Absent
