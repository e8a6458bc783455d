"""slo.yaml as it is written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from triaxis.adapters.workspace.wire import Name, NonNegative, Positive, Share, Text, Wire, WireFile, WireWhere


class WireTerms(Wire):
    """What every objective may have."""

    where: WireWhere = Field(default={})
    """Only cases of these slices count: tag to a value, or to a list of alternatives."""
    guard: NonNegative | None = None
    """How far beyond the target the bound may lie; 0 is strict. Else the axis' guard."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    """One-sided confidence of the bound. Else the file's."""
    decide: Literal["bounds", "point"] = "bounds"
    """point ignores the bounds."""


class WireLatency(WireTerms):
    """A quantile of latency may not exceed a limit."""

    measure: Literal["full", "ttft"]
    """To the last token, or to the first."""
    statistic: Literal["p50", "p95", "p99"]
    """Which quantile."""
    max_ms: Positive
    """The limit, inclusive."""
    tolerance_ms: Positive | None = None
    """How far beyond the limit the axis falls to 0."""
    expected: Positive | None = None
    """The value that you expect, for the power check."""


class WireCost(WireTerms):
    """Dollars may not exceed a limit."""

    per: Literal["request", "session", "month"]
    """What the limit is for."""
    max_usd: NonNegative
    """The limit, inclusive."""
    tolerance_usd: Positive | None = None
    """How far beyond the limit the axis falls to 0."""
    expected: NonNegative | None = None
    """The value that you expect, for the power check."""


class WireShareTerms(WireTerms):
    """What an objective on a share may have: its guard is in the share's own unit."""

    guard: Share | None = None
    """How far beyond the target the bound may lie, of 1; 0 is strict. Else the axis' guard."""


class WirePrecision(WireShareTerms):
    """A dimension's mean score may not fall below a limit."""

    dimension: Text
    """A dimension of the rubric."""
    min: Share
    """The limit, inclusive."""
    expected: Share | None = None
    """The value that you expect, for the power check."""


class WireErrors(WireShareTerms):
    """The share of failed calls may not exceed a limit."""

    max_rate: Share
    """The limit, inclusive."""
    expected: Share | None = None
    """The value that you expect, for the power check."""


class WireProfile(Wire):
    """The traffic of one surface of the product."""

    sessions_per_day: Positive | None = None
    """Sessions a day."""
    requests_per_session: Positive | None = None
    """Requests a session; else that of the traffic."""
    trace: Text | None = None
    """Path of a CSV file with a column offset_s, one line a request, in place of stated sessions."""
    routes: dict[Text, Share] = Field(default={})
    """Route to its share of this profile's requests; the shares sum to 1. Else as the dataset has them."""
    hours: Annotated[list[NonNegative], Field(min_length=24, max_length=24)] | None = None
    """Relative traffic of each hour of the day, from midnight; even without it."""
    cache_hit_rate: Share | Annotated[list[Share], Field(min_length=24, max_length=24)] | None = None
    """Share of prompt tokens assumed to be read from cache, one or one an hour; else as measured or declared."""


class WireTraffic(Wire):
    """Production traffic."""

    sessions_per_day: Positive | None = None
    """Sessions a day."""
    requests_per_session: Positive | None = None
    """Requests a session, where cases carry no session."""
    mix: dict[Text, Annotated[dict[Text, Share], Field(min_length=1)]] = Field(default={})
    """Tag to value to its share of production's traffic; the shares of a tag sum to 1."""
    profiles: dict[Name, WireProfile] = Field(default={})
    """Traffic surface by surface, in place of sessions_per_day: what a month costs is their sum."""


class WireAxes(Wire):
    """A number for each axis."""

    latency: NonNegative | None = None
    """Relative."""
    cost: NonNegative | None = None
    """Relative."""
    precision: Share | None = None
    """Absolute."""
    errors: Share | None = None
    """Absolute."""


class WireRegression(Wire):
    """When a variant counts as worse than the baseline."""

    margin: WireAxes | None = None
    """Loss that is tolerated, by axis; an axis without one is not gated."""
    require: Literal["no_regression", "noninferior"] = "no_regression"
    """noninferior lets an inconclusive comparison block."""


class WireWeights(Wire):
    """How much each axis counts in the composite."""

    latency: NonNegative
    """Weight of latency."""
    cost: NonNegative
    """Weight of cost."""
    precision: NonNegative
    """Weight of precision."""
    because: Text
    """The reason, for whoever reads the composite."""


class WireSlo(WireFile):
    """The objectives that a variant must hold to ship."""

    owner: Text
    """Who answers for the objectives."""
    review_by: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    """The date, YYYY-MM-DD, by which somebody looks at them again."""
    traffic: WireTraffic = WireTraffic()
    """Production traffic."""
    latency: list[WireLatency] = Field(default=[])
    """Objectives of latency."""
    cost: list[WireCost] = Field(default=[])
    """Objectives of cost."""
    precision: list[WirePrecision] = Field(default=[])
    """Objectives of precision."""
    errors: WireErrors | None = None
    """The objective of errors."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """One-sided confidence of every bound."""
    guard: WireAxes = WireAxes()
    """How far beyond a target the bound may lie for a pass, by axis."""
    regression: WireRegression = WireRegression()
    """When a variant counts as worse than the baseline."""
    weights: WireWeights | None = None
    """How much each axis counts in the composite, and why."""
