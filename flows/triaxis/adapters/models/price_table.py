"""LiteLLM's price table, read from the file that it ships with: nothing is imported, nothing is fetched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from triaxis.domain.evaluation import PriceRow

FILE = "model_prices_and_context_window_backup.json"
COLUMNS = tuple(f.name for f in fields(PriceRow) if f.name not in {"model", "source", "max_output_tokens"})


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The whole table, with exact prices."""

    rows: Mapping[str, Mapping[str, object]]
    sha256: str
    version: str

    def row(self, model: str) -> PriceRow | None:
        """The row for a model as variants write it; None where the table has none with prices per token."""
        for name in self._names(model):
            row = _price_row(model, self.rows[name])
            if row is not None:
                return row
        return None

    def mode(self, model: str) -> str | None:
        """What a model is listed for, such as `chat` or `embedding`; None where the table does not say."""
        said = (self.rows[name].get("mode") for name in self._names(model))
        return next((mode for mode in said if isinstance(mode, str)), None)

    def _names(self, model: str) -> tuple[str, ...]:
        """The keys under which LiteLLM would look, in its order: with the provider first, then without it.

        The name without its provider counts only where the row is that provider's own.
        """
        provider, _, bare = model.partition("/")
        owner = str(self.rows.get(bare, {}).get("litellm_provider", "")) if bare else ""
        same = owner == provider or owner.startswith((f"{provider}-", f"{provider}_")) or owner.endswith(f"-{provider}")
        return tuple(name for name, fits in ((model, True), (bare, same)) if fits and name in self.rows)


@cache
def packaged() -> PriceTable:
    """The table of the installed LiteLLM."""
    spec = find_spec("litellm")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    data = (Path(next(iter(spec.submodule_search_locations))) / FILE).read_bytes()
    return table_of(data, version("litellm"))


def table_of(data: bytes, litellm_version: str) -> PriceTable:
    """The table in those bytes."""
    parsed = cast("dict[str, dict[str, object]]", json.loads(data, parse_float=Decimal))
    rows = {name: row for name, row in parsed.items() if name != "sample_spec"}
    return PriceTable(rows, hashlib.sha256(data).hexdigest(), litellm_version)


def _price_row(model: str, raw: Mapping[str, object]) -> PriceRow | None:
    prices = {name: exact for name in COLUMNS if (exact := _exact(raw.get(name))) is not None}
    if "input_cost_per_token" not in prices:
        return None
    limit = raw.get("max_output_tokens") or raw.get("max_tokens")
    return PriceRow(
        model=model,
        source="litellm",
        max_output_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        **{"output_cost_per_token": Decimal(0) if raw.get("mode") == "embedding" else None, **prices},
    )


def _exact(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return Decimal(value)
