"""A price table that no evaluation names: a workspace's prices.yaml, or LiteLLM's own JSON of any version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from triaxis.adapters.models.price_table import PriceTable, table_of
from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.folder import lone_file
from triaxis.adapters.workspace.read_prices import read_prices
from triaxis.domain.evaluation import PriceRow
from triaxis.errors import Fault, InputFaults


def read_other_prices(path: Path, asked: str) -> Mapping[str, PriceRow] | PriceTable:
    """The rows of a .yaml file by model, or the table in a .json file.

    Raises:
        InputFaults: with every fault of the file.
    """
    findings = Findings()
    folder, name = lone_file(path, findings, asked)
    if name is not None and path.suffix == ".json":
        return _table(path, asked)
    place = None if name is None else folder.tree(name)
    rows = {} if place is None else read_prices(place)
    findings.raise_any()
    return rows


def _table(path: Path, asked: str) -> PriceTable:
    try:
        return table_of(path.read_bytes(), "")
    except (OSError, ValueError, AttributeError) as error:
        advice = "Give LiteLLM's model_prices_and_context_window_backup.json as it ships it, or a prices.yaml."
        raise InputFaults(
            Fault(file=f"{asked} {path.name}", problem=f"is no price table: {error}", advice=advice)
        ) from error
