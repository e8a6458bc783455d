"""What `reprice` reads: a stored scorecard, its evidence and another price table. Nothing is called or written."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from triaxis.adapters.dvc.repo import cache_folder
from triaxis.adapters.evidence.past import lay_out
from triaxis.adapters.models.price_table import PriceTable, packaged
from triaxis.adapters.workspace.other_prices import read_other_prices
from triaxis.domain.evaluation import PriceRow, Prices
from triaxis.domain.repricing import Repriced
from triaxis.domain.scorecard import Scorecard
from triaxis.errors import Fault, InputFaults
from triaxis.pipelines.deciding import require_evidence
from triaxis.pipelines.past import past_evidence
from triaxis.pipelines.readings import both
from triaxis.ports.evidence import Evidence
from triaxis.rules.measures.repricing import from_table, overridden, price_drift
from triaxis.steps.reconsider import under
from triaxis.wiring import Wiring, stored_scorecard, wire

Other = tuple[Prices, tuple[str, ...], str]
"""Prices for the models in use, the models that keep their own, and the table in words."""


def repriced(
    root: Path, config: str, *, prices: Path | None = None, version: str | None = None, scorecard: str | None = None
) -> Repriced:
    """The stored scorecard, and what its rows make under other prices.

    Args:
        root: The workspace.
        config: Its evaluation file.
        prices: A prices.yaml, or LiteLLM's table as JSON.
        version: In place of a file, a version of LiteLLM whose table is here.
        scorecard: The first digits of an archived id; the current one where it is None.

    Raises:
        InputFaults: for prices or a scorecard that are not here, or lack what is needed.
    """
    wiring = wire(root, config)
    card, table = both(
        lambda: _scorecard(wiring, scorecard),
        lambda: None if prices is None else read_other_prices(prices, "--prices"),
    )
    with _evidence(wiring, card) as evidence:
        inputs = evidence.inputs()
        if prices is not None and table is not None:
            other, kept, words = _of_file(inputs.prices, table, prices.name)
        else:
            other, kept, words = _of_version(wiring, inputs.prices, version or "")
        after = under(replace(inputs, prices=other), evidence)
    drift = price_drift(inputs.prices, other)
    return Repriced(before=card, after=after, prices=words, drift=drift, kept=kept)


def _scorecard(wiring: Wiring, word: str | None) -> Scorecard:
    if word is None:
        return stored_scorecard(wiring.root, wiring.config)
    ids = wiring.archived.ids()
    matching = [name for name in ids if name.startswith(word)] if word else []
    if len(matching) == 1:
        return wiring.archived.scorecard(matching[0])
    problem = f"{len(matching) or 'no'} archived scorecards begin with {word[:40]!r}"
    advice = f"There are: {', '.join(ids)}." if ids else "`triaxis run` archives each scorecard that it makes."
    raise InputFaults(Fault(file="--scorecard", problem=problem, advice=advice))


@contextmanager
def _evidence(wiring: Wiring, card: Scorecard) -> Generator[Evidence]:
    """The evidence here where it is the scorecard's, else that of the archive as far as DVC has it."""
    try:
        require_evidence(card, wiring.evidence)
    except InputFaults:
        if card.id not in wiring.archived.ids():
            raise
    else:
        yield wiring.evidence
        return
    with past_evidence(wiring, card.id) as past:
        yield past


def _of_file(stored: Prices, table: Mapping[str, PriceRow] | PriceTable, name: str) -> Other:
    if isinstance(table, PriceTable):
        return _of_table(stored, table, f"the prices of {name}", "--prices")
    prices, kept = overridden(stored, table)
    return prices, kept, f"the prices of {name}"


def _of_table(stored: Prices, table: PriceTable, words: str, asked: str) -> Other:
    prices, kept, lacking = from_table(stored, table.row, sha256=table.sha256, version=table.version)
    _require(lacking, words, asked)
    return prices, kept, words


def _require(lacking: tuple[str, ...], words: str, asked: str) -> None:
    if lacking:
        advice = "Give a prices.yaml with rows for these models, or another table."
        raise InputFaults(
            *(Fault(file=asked, problem=f"{m!r} has no price in {words}", advice=advice) for m in lacking)
        )


def _of_version(wiring: Wiring, stored: Prices, version: str) -> Other:
    """The table of the installed LiteLLM, else the rows that an archived scorecard was priced by."""
    installed = packaged()
    if version == installed.version:
        return _of_table(stored, installed, f"the prices of LiteLLM {version}", "--litellm-version")
    archived = _archived(wiring, version)
    if archived is None:
        raise InputFaults(_not_here(version, installed.version))
    words = f"the prices of LiteLLM {version}, as archived"
    prices, kept, lacking = from_table(stored, archived.rows.get, sha256=archived.table_sha256, version=version)
    _require(lacking, words, "--litellm-version")
    return prices, kept, words


def _not_here(version: str, installed: str) -> Fault:
    return Fault(
        file="--litellm-version",
        problem=f"the price table of LiteLLM {version[:40]} is not here: {installed} is installed, and no archived "
        "scorecard was priced by it",
        advice="Nothing is fetched. Give the file model_prices_and_context_window_backup.json of that release as "
        "--prices, or run where that release is installed.",
    )


def _archived(wiring: Wiring, version: str) -> Prices | None:
    """The rows that the first archived scorecard of that version was priced by, those of the workspace left out."""
    for scorecard_id in wiring.archived.ids():
        found = _prices_of(wiring, scorecard_id)
        if found is not None and found.litellm_version == version:
            rows = {model: row for model, row in found.rows.items() if row.source == "litellm"}
            return replace(found, rows=rows)
    return None


def _prices_of(wiring: Wiring, scorecard_id: str) -> Prices | None:
    """The prices behind an archived scorecard; None where neither the workspace nor DVC has them any more."""
    from triaxis.adapters.evidence.inputs import InputFiles

    path = f"{wiring.reports}/evidence/inputs/prices.json"
    files = {name: md5 for name, md5 in wiring.archived.files(scorecard_id).items() if name == path}
    with TemporaryDirectory() as folder:
        into = Path(folder)
        try:
            lay_out(files, into, root=wiring.root, reports=wiring.reports, cache=cache_folder(wiring.root), commit=None)
        except InputFaults:
            return None
        return InputFiles(into / "evidence" / "inputs").prices() if files else None
