"""Worlds with known truths, and how often each interval of the product holds the truth in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.stats.block_contrasts import paired_quantile_difference
from triaxis.stats.bootstrap import paired_difference
from triaxis.stats.classes import over_classes
from triaxis.stats.means import mean, mean_unbounded
from triaxis.stats.power import power
from triaxis.stats.proportions import wilson
from triaxis.stats.quantile_difference import clustered_quantile_difference
from triaxis.stats.quantiles import quantile
from triaxis.stats.ranks import autocorrelated
from triaxis.stats.seeds import generator
from triaxis.stats.tango import tango
from triaxis.stats.weighted_quantiles import weighted_quantile

LEVEL = 0.9
GIVEN_UP = 1e9
Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One situation: how a sample of it is estimated, and what is true of it."""

    name: str
    truth: float
    draw: Draw
    allowed: float = 0.05
    """Share of samples whose one-sided bound may miss on either side."""
    short: float = 0.01
    """How far under its level the interval may hold the truth."""
    samples: int = 800
    """How many the page rests on; fewer where one takes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How an interval fared over many samples of a world."""

    above: float
    """Share of samples whose lower bound was above the truth."""
    below: float
    """Share of samples whose upper bound was below the truth."""
    unbounded: float
    """Share of samples that gave no upper bound, or no estimate."""

    @property
    def held(self) -> float:
        """Share of samples whose interval did not miss the truth."""
        return 1 - self.above - self.below


def coverage(world: World, samples: int) -> Coverage:
    """Misses over seeded samples; a sample without an estimate misses nothing."""
    rng = generator("calibration", world.name)
    measures = [world.draw(rng) for _ in range(samples)]
    estimates = [measure for measure in measures if isinstance(measure, Estimate)]
    bounded = sum(estimate.high < GIVEN_UP for estimate in estimates)
    slack = 1e-9
    return Coverage(
        above=sum(estimate.low > world.truth + slack for estimate in estimates) / samples,
        below=sum(estimate.high < world.truth - slack for estimate in estimates) / samples,
        unbounded=1 - bounded / samples,
    )


def _shares(n: int, rate: float) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        return wilson(int(rng.binomial(n, rate)), n, LEVEL)

    # A share of n moves in steps, so that at one rate a bound may miss up to twice its average over rates.
    return World(name=f"{n} answers, {rate:.0%} right", truth=rate, draw=draw, allowed=0.11)


def clustered(
    rng: np.random.Generator, sizes: tuple[int, ...], groups: int, rate: float, icc: float
) -> tuple[Floats, Floats]:
    """Right-or-wrong scores whose rate varies between sessions, beta-binomially, and each score's session."""
    odds = 1 / icc - 1
    rates = rng.beta(rate * odds, (1 - rate) * odds, groups)
    session = np.repeat(np.arange(groups), rng.choice(sizes, groups))
    return (rng.random(len(session)) < rates[session]).astype(np.float64), session.astype(np.float64)


def _sessions(groups: int, sizes: tuple[int, ...], rate: float, icc: float = 0.3, allowed: float = 0.07) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        scores, session = clustered(rng, sizes, groups, rate, icc)
        return mean(scores, clusters=session, level=LEVEL)

    turns = "-".join(map(str, sorted({min(sizes), max(sizes)})))
    return World(name=f"{groups} sessions of {turns} turns, {rate:.0%} right", truth=rate, draw=draw, allowed=allowed)


@cache
def _halves(n: int, hard: int, easy: int) -> Measure:
    """So many of n right in two strata, a tenth and nine tenths of production; kept, as such counts come again."""
    right, strata = np.arange(n) < np.array([[hard], [easy]]), np.repeat([0, 1], n)
    return mean(right.ravel(), weights=np.where(strata, 1.8, 0.2), strata=strata, level=LEVEL)


def _mixed(n: int) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        rare = np.arange(n) < n // 2
        right = rng.random(n) < np.where(rare, 0.7, 0.95)
        return _halves(n // 2, int(right[rare].sum()), int(right[~rare].sum()))

    return World(name=f"{n} answers weighted to another mix", truth=0.1 * 0.7 + 0.9 * 0.95, draw=draw, allowed=0.08)


def _graded(
    name: str, n: int, truth: float, scores: Callable[[np.random.Generator, int], Floats], allowed: float = 0.06
) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        return mean(scores(rng, n), level=LEVEL)

    return World(name=f"{n} graded scores, {name}", truth=truth, draw=draw, allowed=allowed)


def _perfect_or_less(share: float) -> Callable[[np.random.Generator, int], Floats]:
    return lambda rng, n: np.where(rng.random(n) < share, 1.0, rng.random(n))


def _tight(rng: np.random.Generator, n: int) -> Floats:
    return rng.beta(80, 20, n) * (rng.random(n) > 0.02)


def _graded_gain(n: int, sizes: tuple[int, ...]) -> World:
    """Graded scores of two variants, the second of which loses more of what is hard; alike within a session."""

    def draw(rng: np.random.Generator) -> Measure:
        session = np.repeat(np.arange(n), rng.choice(sizes, n))
        hard = 0.6 * rng.random(n)[session] + 0.4 * rng.random(len(session))
        a, b = (np.clip(1 - loss * hard + 0.1 * rng.standard_normal(len(session)), 0, 1) for loss in (0.3, 0.5))
        return paired_difference(a, b, clusters=session, level=LEVEL, rng=rng)

    unit = "graded pairs" if max(sizes) == 1 else f"sessions of {min(sizes)}-{max(sizes)} graded pairs"
    return World(name=f"{n} {unit}", truth=_graded_truth(), draw=draw, short=0.01 if max(sizes) == 1 else 0.03)


@cache
def _graded_truth() -> float:
    """Of `_graded_gain`: the mean over what is hard of the difference of two clipped normal scores."""
    rng = generator("graded truth")
    hard = 0.6 * rng.random(1_000_000) + 0.4 * rng.random(1_000_000)
    first, second = (_clipped_mean(1 - loss * hard, 0.1) for loss in (0.3, 0.5))
    return float((first - second).mean())


def _clipped_mean(centre: Floats, spread: float) -> Floats:
    """Mean of a normal clipped to at most 1; what lies under 0 is too rare to count."""
    over = (1 - centre) / spread
    return centre * norm.cdf(over) - spread * norm.pdf(over) + norm.sf(over)


def _dollars(
    name: str, truth: float, values: Callable[[np.random.Generator, int], Floats], allowed: float = 0.05
) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        return mean_unbounded(values(rng, 80), level=LEVEL)

    return World(name=f"80 costs, {name}", truth=truth, draw=draw, allowed=allowed)


def queue(rng: np.random.Generator, load: float, blocks: int, size: int, *, gaps: Floats | None = None) -> Floats:
    """Sojourn times of a single server's queue with Poisson arrivals (M/M/1), each block from its steady state.

    Shape (blocks, size). Their distribution is exponential with mean 1 / (1 - load), in units of the mean service.
    """
    service = rng.exponential(1, (blocks, size))
    if not load:
        return service
    found = np.where(rng.random(blocks) < load, rng.exponential(1 / (1 - load), blocks), 0.0)
    between = rng.exponential(1 / load, (blocks, size)) if gaps is None else gaps
    # Lindley: each waits what the one before left, less the gap; unrolled, a cumulative sum less its running minimum.
    steps = np.column_stack([found, service[:, :-1] - between[:, 1:]])
    path = np.cumsum(steps, axis=1)
    return path - np.minimum(0, np.minimum.accumulate(path, axis=1)) + service


def _latency(load: float, blocks: int, size: int, q: float, allowed: float = 0.05) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        latencies = queue(rng, load, blocks, size).ravel()
        block = np.repeat(np.arange(blocks), size)
        told = block if autocorrelated(latencies, block) else None
        return quantile(latencies, q=q, level=LEVEL, blocks=told, limit=GIVEN_UP)

    name = f"p{100 * q:g} of {blocks} blocks of {size}, " + (f"queue at {load:.0%} load" if load else "no queue")
    return World(name=name, truth=-log(1 - q) / (1 - load), draw=draw, allowed=allowed, short=0.03 if load else 0.01)


def _mixed_sessions(groups: int) -> World:
    """Sessions of one stratum each, half of them hard."""

    def draw(rng: np.random.Generator) -> Measure:
        parts = [clustered(rng, (1, 2, 3, 4), groups // 2, rate, 0.3) for rate in (0.7, 0.95)]
        scores = np.concatenate([part[0] for part in parts])
        session = np.concatenate([parts[0][1], parts[1][1] + groups])
        hard = session < groups
        rare = float(np.mean(hard))
        weights = np.where(hard, 0.1 / rare, 0.9 / (1 - rare))
        return mean(scores, clusters=session, weights=weights, strata=hard, level=LEVEL)

    name = f"{groups} sessions of 1-4 turns weighted to another mix"
    return World(name=name, truth=0.1 * 0.7 + 0.9 * 0.95, draw=draw, short=0.03, samples=300)


def _mixed_dollars(n: int) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        dear = np.arange(n) < n // 2
        usd = rng.lognormal(0, 0.5, n) * np.where(dear, 5.0, 1.0)
        return mean_unbounded(usd, weights=np.where(dear, 0.4, 1.6), strata=dear, level=LEVEL)

    name, truth = f"{n} costs weighted to another mix", exp(0.125) * (0.2 * 5 + 0.8)
    return World(name=name, truth=truth, draw=draw, allowed=0.06)


def _mixed_disagreement(n: int) -> World:
    """A gain in the easy half, which is most of production, and a loss in the hard one."""

    def draw(rng: np.random.Generator) -> Measure:
        hard, lot = np.arange(n) < n // 2, rng.random(n)
        a, b = lot < np.where(hard, 0.5, 0.9), (lot < np.where(hard, 0.6, 0.84)) & (lot > 0.02)
        ahead, behind = ((int((x & ~y & hard).sum()), int((x & ~y & ~hard).sum())) for x, y in ((a, b), (b, a)))
        return _tango(ahead, behind, (n // 2, n // 2), (0.1, 0.9))

    return World(name=f"{n} pairs weighted to another mix", truth=0.9 * 0.08 + 0.1 * -0.08, draw=draw)


def _weighted_latency(n: int, q: float, *, blocks: int | None = None, allowed: float = 0.05) -> World:
    """The slow kind is half of the sample and 80% of production, and waits in a queue where there are blocks."""

    def draw(rng: np.random.Generator) -> Measure:
        slow = np.arange(n) % 2 == 0
        waits = rng.exponential(1, n) if blocks is None else queue(rng, 0.5, blocks, n // blocks).ravel() / 2
        times = np.where(slow, waits, 100.0 + 0.1 * rng.exponential(1, n))
        block = None if blocks is None else np.repeat(np.arange(blocks), n // blocks)
        weights = np.where(slow, 1.6, 0.4)
        return weighted_quantile(times, weights=weights, strata=slow, q=q, level=LEVEL, blocks=block, limit=GIVEN_UP)

    truth = -log(1 - q / 0.8) if q < 0.8 else 100.0 - 0.1 * log(1 - (q - 0.8) / 0.2)
    told = "" if blocks is None else f" in {blocks} blocks, queue at 50% load,"
    return World(
        name=f"p{100 * q:g} of {n} requests{told} weighted to another mix",
        truth=truth,
        draw=draw,
        allowed=allowed,
        samples=200,
    )


@cache
def _tango(
    ahead: tuple[int, ...], behind: tuple[int, ...], pairs: tuple[int, ...], shares: tuple[float, ...] = (1.0,)
) -> Measure:
    """What `paired_difference` gives for such counts, kept, since in thousands of samples they come again."""
    return tango(ahead, behind, pairs, level=LEVEL, shares=shares)


def _disagreement(n: int, only_a: float, only_b: float, sizes: tuple[int, ...] = (1,), allowed: float = 0.07) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        session = np.repeat(np.arange(n), rng.choice(sizes, n))
        lot = rng.random(len(session))
        a, b = (lot < only_a) | (lot > 0.5), (lot >= only_a) & (lot < only_a + only_b) | (lot > 0.5)
        if max(sizes) == 1:
            return _tango((int((a & ~b).sum()),), (int((b & ~a).sum()),), (n,))
        return paired_difference(a, b, clusters=session, level=LEVEL, rng=rng, draws=500)

    unit = "pairs" if max(sizes) == 1 else f"sessions of {min(sizes)}-{max(sizes)} pairs"
    return World(
        name=f"{n} {unit}, {only_a:.1%} right only here, {only_b:.1%} only there",
        truth=only_a - only_b,
        draw=draw,
        allowed=allowed,
    )


def _paired_latency(load: float, q: float, allowed: float = 0.06) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        gaps = rng.exponential(1 / load, (10, 40)) if load else None
        a, b = queue(rng, load, 10, 40, gaps=gaps), queue(rng, load, 10, 40, gaps=gaps)
        block = np.repeat(np.arange(10), 40)
        return paired_quantile_difference(a.ravel(), b.ravel(), blocks=block, q=q, level=LEVEL, rng=rng, draws=300)

    name = f"difference of p{100 * q:g}, 10 blocks of 40, " + (f"queue at {load:.0%} load" if load else "no queue")
    return World(name=name, truth=0.0, draw=draw, allowed=allowed)


def _imported_latency(n: int, q: float, alike: float, size: int = 1, allowed: float = 0.06) -> World:
    """Times of two variants over the same cases, whose logarithms have a part in common, and of a session too."""

    def draw(rng: np.random.Generator) -> Measure:
        shared = rng.standard_normal(n)
        if size > 1:
            shared = sqrt(0.6) * np.repeat(rng.standard_normal(n // size), size) + sqrt(0.4) * shared
        a, b = (
            np.exp(spread * (sqrt(alike) * shared + sqrt(1 - alike) * rng.standard_normal(n)))
            for spread in (_SPREADS[0], _SPREADS[1])
        )
        session = np.arange(n) // size
        return clustered_quantile_difference(a, b, clusters=(session, session), q=q, level=LEVEL, rng=rng, draws=500)

    unit = "pairs" if size == 1 else f"pairs in sessions of {size}"
    truth = exp(_SPREADS[0] * norm.ppf(q)) - exp(_SPREADS[1] * norm.ppf(q))
    return World(
        name=f"imported p{100 * q:g} less another's, {n} {unit}, {alike:.0%} alike",
        truth=float(truth),
        draw=draw,
        allowed=allowed,
    )


_SPREADS = (0.6, 0.8)
"""Standard deviations of the logarithms of imported times, which are skewed as latencies are."""


def _intents(n: int) -> World:
    def draw(rng: np.random.Generator) -> Measure:
        truths = rng.integers(0, 5, n)
        answers = np.where(rng.random(n) < 0.8, truths, (truths + rng.integers(1, 5, n)) % 5)
        return over_classes(truths.tolist(), answers.tolist(), metric="macro_f1", level=LEVEL, rng=rng, draws=500)

    return World(name=f"macro F1 of {n} cases in 5 classes", truth=0.8, draw=draw, allowed=0.06)


WORLDS = (
    _shares(80, 0.97),
    _shares(240, 0.90),
    _sessions(10, (1, 2, 3, 4), 0.97),
    _sessions(20, (1, 2, 3, 4), 0.90),
    _sessions(50, (1, 2, 3, 4), 0.97),
    _sessions(50, (4,), 0.90),
    _sessions(20, (1, 1, 1, 12), 0.90, allowed=0.10),
    _mixed(200),
    _mixed_sessions(20),
    _mixed_sessions(60),
    _graded("70% perfect", 80, 0.85, _perfect_or_less(0.7)),
    _graded("90% perfect", 80, 0.95, _perfect_or_less(0.9)),
    _graded("50% perfect", 240, 0.75, _perfect_or_less(0.5)),
    _graded("close to 0.8, 2% zero", 240, 0.8 * 0.98, _tight),
    _dollars("lognormal, sigma 0.5", exp(0.125), lambda rng, n: rng.lognormal(0, 0.5, n), allowed=0.07),
    _dollars("lognormal, sigma 1", exp(0.5), lambda rng, n: rng.lognormal(0, 1, n), allowed=0.10),
    _dollars(
        "97% one price, 3% thrice it", 1.06, lambda rng, n: np.where(rng.random(n) < 0.97, 1.0, 3.0), allowed=0.10
    ),
    _mixed_dollars(200),
    _latency(0.0, 5, 40, 0.5),
    _latency(0.0, 5, 40, 0.95),
    _latency(0.5, 5, 40, 0.5, allowed=0.06),
    _latency(0.5, 5, 40, 0.95, allowed=0.10),
    _latency(0.5, 10, 100, 0.95, allowed=0.12),
    _latency(0.8, 5, 40, 0.5, allowed=0.09),
    _latency(0.8, 5, 40, 0.95),
    _latency(0.8, 10, 400, 0.95, allowed=0.12),
    _latency(0.9, 5, 40, 0.95),
    _weighted_latency(200, 0.5),
    _weighted_latency(400, 0.95),
    _weighted_latency(400, 0.5, blocks=10, allowed=0.07),
    _disagreement(80, 0.15, 0.10),
    _disagreement(240, 0.03, 0.0, allowed=0.09),
    _disagreement(240, 0.01, 0.01),
    _disagreement(80, 0.005, 0.0),
    _disagreement(20, 0.15, 0.10, (1, 2, 3, 4)),
    _graded_gain(80, (1,)),
    _graded_gain(40, (1, 2, 3, 4)),
    _mixed_disagreement(80),
    _mixed_disagreement(240),
    _paired_latency(0.0, 0.95),
    _paired_latency(0.5, 0.5),
    _imported_latency(80, 0.5, 0.0),
    _imported_latency(80, 0.95, 0.9),
    _imported_latency(1000, 0.95, 0.0),
    _imported_latency(1000, 0.95, 0.9),
    _imported_latency(240, 0.95, 0.9, size=4),
    _intents(100),
)


def coverage_table(found: Iterable[tuple[World, Coverage]]) -> str:
    """The coverages as they stand on the page."""
    head = "| sample | samples | low bound above truth | high bound below truth | holds it | no high bound |\n"
    head += "|---|---:|---:|---:|---:|---:|\n"
    rows = (
        f"| {world.name} | {world.samples} | {c.above:.1%} | {c.below:.1%} | {c.held:.1%} | {c.unbounded:.0%} |\n"
        for world, c in found
    )
    return head + "".join(rows)


TRUTHS = (0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.90)
SIZES = (50, 80, 100, 200, 300, 500, 1000)


def gate_table(guard: float) -> str:
    """Shares of pass / fail of a target of 0.95 at 0.95 confidence, by true share and number of cases."""
    head = "| true share | " + " | ".join(f"n = {n}" for n in SIZES) + " |\n|---:|" + "---:|" * len(SIZES) + "\n"
    rows: list[str] = []
    for truth in TRUTHS:
        chances = [power(truth, target=0.95, guard=guard, confidence=0.95, n=n) for n in SIZES]
        rows.append(f"| {truth:.2f} | " + " | ".join(f"{c.passes:.0%} / {c.fails:.0%}" for c in chances) + " |\n")
    return head + "".join(rows)


def answered(measure: Measure) -> float:
    """The point of a measure: infinite where it lies beyond what is known, an error where it is absent."""
    match measure:
        case Estimate():
            return measure.value
        case Above():
            return inf
        case Absent():
            raise AssertionError(measure.why)
