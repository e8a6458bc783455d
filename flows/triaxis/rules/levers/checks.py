"""Each lever's check of itself: whether pulling it did the one thing that it is pulled for.

A check decides nothing. It keeps a reader from crediting a lever with what something else did: a cached prompt that was
reworded as well, a cap that was never reached, a smaller model that is the same model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triaxis.domain.levers import CheckOutcome, LeverCheck
from triaxis.domain.truncation import CUT, Truncation
from triaxis.domain.variant import Serving
from triaxis.quantities import Estimate, Measure
from triaxis.rules.words import milliseconds, percent

MOST_SLICES = 4
"""Slices that a sentence names."""
SAME = 0.9
"""Share of equal answers from which a lever that must not change them is believed not to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverFacts:
    """What checks look at, of a variant or of the one it extends; of a view, over all of its arms."""

    models: tuple[str, ...]
    """With what identifies their servers, sorted."""
    prompts: tuple[str, ...]
    """The texts of the templates, sorted."""
    stops: tuple[str, ...]
    """What ends an answer, sorted."""
    caps: tuple[int, ...]
    """Most tokens of an answer, sorted; empty where nothing is set."""
    serving: Serving
    cached_share: float | None
    """Share of prompt tokens read from cache, as probed or as imported answers report it."""
    p50: Measure
    """Of the whole answer, in milliseconds."""
    tokens: float | None
    """Mean tokens of an answer."""
    cut: Sequence[Truncation] = ()
    """The rows of answers that a cap cut."""
    recall: Measure | None = None
    """Of retrieved passages; None where nothing is retrieved."""
    caps_known: bool = True
    """False where answers were imported and nothing shows whether they were capped."""


def check_lever(lever: str, ours: LeverFacts, theirs: LeverFacts, *, same: float | None) -> LeverCheck:
    """One lever's check.

    Args:
        lever: Its name.
        ours: Of the variant that pulls it.
        theirs: Of the variant that this one extends.
        same: Share of cases with the same answer from both; None where none has both.
    """
    match lever:
        case "tiering" | "fine_tuning":
            outcome, says = _other_model(ours, theirs)
        case "prompt_caching":
            outcome, says = _cached(ours, theirs)
        case "quantization" | "speculative_decoding":
            outcome, says = _same_answers(ours, theirs, same, loses=lever == "quantization")
        case "max_tokens":
            outcome, says = _capped(ours, theirs)
        case "stop":
            outcome, says = _stopped(ours, theirs)
        case "batching":
            outcome, says = _batched(ours)
        case "retrieval":
            outcome, says = _retrieved(ours)
        case _:
            outcome, says = "unknown", "The share that people answer is recorded in its own place, not by a variant."
    return LeverCheck(lever=lever, outcome=outcome, says=says)


_Finding = tuple[CheckOutcome, str]


def _other_model(ours: LeverFacts, theirs: LeverFacts) -> _Finding:
    if ours.models == theirs.models:
        return "broken", f"The model is the same: {', '.join(ours.models)}."
    return "holds", f"{', '.join(ours.models)} in place of {', '.join(theirs.models)}."


def _cached(ours: LeverFacts, theirs: LeverFacts) -> _Finding:
    share, before = ours.cached_share, theirs.cached_share
    if share is None:
        return "unknown", "Nobody reported cached tokens, so that nothing shows whether the cache was used."
    text = f"{percent(share)} of prompt tokens were read from cache" + (
        "." if before is None else f", {percent(before)} before."
    )
    if ours.prompts != theirs.prompts:
        return "broken", f"{text} The prompt is another one, so that what changed is not the cache's doing alone."
    return ("holds" if share > (before or 0.0) else "broken"), text


def _same_answers(ours: LeverFacts, theirs: LeverFacts, same: float | None, *, loses: bool) -> _Finding:
    if same is None:
        return "unknown", "No case has an answer from both."
    text = f"{percent(same)} of answers are the same. {_speed(ours.p50, theirs.p50)}"
    # Quantised weights are other weights: that answers differ is the price of the lever, and no fault of it.
    return ("holds" if loses or same >= SAME else "broken"), text


def _speed(ours: Measure, theirs: Measure) -> str:
    if isinstance(ours, Estimate) and isinstance(theirs, Estimate):
        return f"Half of them took {milliseconds(ours.value)} or less, {milliseconds(theirs.value)} before."
    return "Nothing was probed, so that nothing is known of speed."


def _capped(ours: LeverFacts, theirs: LeverFacts) -> _Finding:
    if ours.caps == theirs.caps:
        if not (ours.caps_known and theirs.caps_known):
            return "unknown", "Imported answers do not say what capped them, and none that was cut shows it."
        return "broken", "The cap is the same."
    everywhere = [row for row in ours.cut if not row.where]
    if not everywhere:
        return "holds", "No answer was cut."
    slices = [row for row in ours.cut if row.where]
    worst = sorted(slices, key=lambda row: (-row.n / row.of, sorted(row.where.items())))[:MOST_SLICES]
    return "holds", f"{'; '.join(map(_share, everywhere))}. Most in: {'; '.join(map(_share, worst))}."


def _share(row: Truncation) -> str:
    which = ", ".join(f"{tag}={value}" for tag, value in row.where.items())
    cap = "" if row.cap is None else f" at {row.cap:,} tokens"
    count = f"{row.n:,} of {row.of:,}"
    return f"{which} {count}" if which else f"{count} answers were cut{cap}"


def _stopped(ours: LeverFacts, theirs: LeverFacts) -> _Finding:
    if ours.stops == theirs.stops:
        return "broken", "What ends an answer is the same."
    if ours.tokens is None or theirs.tokens is None:
        return "unknown", "No tokens were reported, so that nothing shows whether answers got shorter."
    shorter = ours.tokens < theirs.tokens
    return ("holds" if shorter else "broken"), f"{ours.tokens:.1f} tokens an answer, {theirs.tokens:.1f} before."


def _batched(ours: LeverFacts) -> _Finding:
    if ours.serving.mode == "batch":
        return "holds", "Priced as batches, for a surface on which nobody waits."
    return "broken", "It is priced live: write `serving: {mode: batch, interactive: false}`."


def _retrieved(ours: LeverFacts) -> _Finding:
    match ours.recall:
        case None:
            return "broken", "Nothing is retrieved: the variant names no retriever."
        case Estimate(value=value):
            return "holds", f"{percent(value)} of the labelled passages were found."
        case _:
            return "unknown", "No case labels the passages that should be found."


def cut_rows(rows: Sequence[Truncation]) -> tuple[Truncation, ...]:
    """The rows of answers that a cap cut."""
    return tuple(row for row in rows if row.reason == CUT)


def equal_share(ours: Mapping[int, int], theirs: Mapping[int, int]) -> float | None:
    """Share of cases answered in the same words, of answers as codes by case; None where no case has both."""
    both = ours.keys() & theirs.keys()
    return sum(ours[case] == theirs[case] for case in both) / len(both) if both else None
