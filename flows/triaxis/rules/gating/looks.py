"""Looks: counted once for each version of cases and candidates, so that going back to one gives its scorecard again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256

from triaxis.domain.case import Case
from triaxis.domain.looks import Look, Looks, Split
from triaxis.domain.scorecard import Scorecard
from triaxis.rules.words import counted, percent

_DIGEST_BITS = 256


def looked(past: Iterable[Look], now: Look, *, split: Split | None = None, cases: int | None = None) -> Looks:
    """How often these cases were looked at, this time included.

    Args:
        past: The evaluation's archived scorecards, in any order.
        now: What is about to be looked at.
        split: The side of the dataset that `now` is, with how many `cases` it has.
        cases: See `split`.
    """
    known = tuple(past)
    same = [
        look.looks
        for look in known
        if look.looks is not None
        and (look.dataset_sha256, look.variants_sha256) == (now.dataset_sha256, now.variants_sha256)
    ]
    datasets, variants = min(same) if same else _counted(known, now)
    return Looks(datasets=datasets, variants=variants, split=split, cases=cases)


def _counted(past: Sequence[Look], now: Look) -> tuple[int, int]:
    datasets = {look.dataset_sha256 for look in past} | {now.dataset_sha256}
    return len(datasets), len(now.candidates.union(*(look.candidates for look in past)))


def side_of(cases: Sequence[Case], split: Split) -> tuple[Case, ...]:
    """The cases of the split's side, in their order.

    Without strata a unit (a session, or a case without one) is held out when the hash of seed and name is below the
    share: added cases move no other, so that nothing that was looked at ever becomes holdout. With strata, the units
    with the lowest hashes of each are held out, and an added case may move one of its stratum.
    """
    held = _held_by_rank(cases, split) if split.by else _held_by_hash(cases, split)
    return tuple(case for case in cases if (_unit(case) in held) == (split.use == "holdout"))


def _unit(case: Case) -> tuple[bool, str]:
    """The session, or the case where it names none; a session and a case of one name are two units."""
    return (False, case.id) if case.session is None else (True, case.session)


def _held_by_hash(cases: Iterable[Case], split: Split) -> frozenset[tuple[bool, str]]:
    limit = int(split.holdout * 2**_DIGEST_BITS)
    return frozenset(unit for unit in map(_unit, cases) if int.from_bytes(_digest(unit, split.seed)) < limit)


def _held_by_rank(cases: Iterable[Case], split: Split) -> frozenset[tuple[bool, str]]:
    """A session stands in the stratum of its first case by id."""
    strata: dict[tuple[str, ...], dict[tuple[bool, str], None]] = defaultdict(dict)
    placed: set[tuple[bool, str]] = set()
    for case in sorted(cases, key=lambda case: case.id):
        if (unit := _unit(case)) not in placed:
            placed.add(unit)
            strata[tuple(case.tag(tag) or "" for tag in split.by)][unit] = None
    return frozenset(
        unit
        for units in strata.values()
        for unit in sorted(units, key=lambda unit: _digest(unit, split.seed))[: round(split.holdout * len(units))]
    )


def _digest(unit: tuple[bool, str], seed: int) -> bytes:
    is_session, name = unit
    return sha256(f"holdout|{seed}|{'session' if is_session else 'case'}|{name}".encode()).digest()


def looks_notes(card: Scorecard) -> tuple[str, ...]:
    """What a reader must know of the looks before believing the best of several candidates."""
    looks = card.looks
    if looks is None:
        return ()
    said = [text for text in (_again(looks), _best_of(looks)) if text]
    return tuple(said)


def _again(looks: Looks) -> str:
    if looks.datasets == 1:
        return ""
    return f"These cases were changed after a look: this is look {looks.datasets} at the dataset."


def _best_of(looks: Looks) -> str:
    split, tried = looks.split, counted(looks.variants, "candidates")
    if split is not None and split.use == "holdout":
        if looks.variants > 1:
            return f"{tried} were tried on this holdout, which confirms one chosen elsewhere, not the best of them."
        return f"This is the holdout of {percent(split.holdout)}, and confirms one candidate."
    if looks.variants <= 1:
        return ""
    if split is None:
        return (
            f"{tried} were tried on these cases, and the best of them looks better than it is: "
            "`split` under `dataset` holds cases out to confirm it on."
        )
    return (
        f"{tried} were tried on these cases: confirm the chosen one on the holdout of {percent(split.holdout)}, "
        "with an evaluation of its own that says `use: holdout`."
    )
