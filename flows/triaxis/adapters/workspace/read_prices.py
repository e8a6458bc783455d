"""The price rows of the models used: from the workspace's file, else from LiteLLM's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from triaxis.adapters.local.models import is_local
from triaxis.adapters.models.price_table import COLUMNS, PriceTable
from triaxis.adapters.workspace.findings import Findings, Place
from triaxis.adapters.workspace.folder import Asked
from triaxis.adapters.workspace.secrets import without_keys
from triaxis.adapters.workspace.wire import read
from triaxis.adapters.workspace.wire_prices import WirePriceRow, WirePrices
from triaxis.domain.evaluation import PriceRow, Prices
from triaxis.domain.variant import ImportedVariant
from triaxis.quantities import Absent
from triaxis.rules.calls.price import Mode, rates

_SELF_HOSTED = ("usd_per_core_hour", "usd_per_gpu_hour")


def read_prices(found: Place) -> dict[str, PriceRow]:
    """The rows of a workspace's own prices, by model; those that could be read."""
    place = without_keys(found)
    if read(WirePrices, place, place.root) is not None:
        models = WirePrices.model_validate(place.root.plain()).models
    else:
        models = {}
    return {model: row for model, wire in models.items() if (row := _row(place, model, wire)) is not None}


def _row(place: Place, model: str, wire: WirePriceRow) -> PriceRow | None:
    written = {name: getattr(wire, name) for name in COLUMNS}
    exact = {name: Decimal(str(value)) for name, value in written.items() if value is not None}
    hosted = any(name in exact for name in _SELF_HOSTED)
    for name in ("input_cost_per_token", "output_cost_per_token"):
        if not hosted and name not in exact:
            advice = f"Add `{name}`, 0 where it is free; or `usd_per_core_hour` for a model that you serve."
            place.fault(("models", model, name), "is required and missing", advice)
            return None
    if len([name for name in _SELF_HOSTED if name in exact]) > 1:
        problem = "is priced by the core and by the GPU"
        place.fault(("models", model), problem, "Keep `usd_per_core_hour` or `usd_per_gpu_hour`.")
        return None
    return PriceRow(model=model, source=place.file, max_output_tokens=wire.max_output_tokens, **exact)


def prices_of(
    used: Iterable[tuple[str, Asked]], own: Mapping[str, PriceRow], table: PriceTable, findings: Findings, file: str
) -> Prices:
    """The row of each model used, with a fault for one that has none.

    Args:
        used: Models as they are written, with where.
        own: The workspace's rows, which replace the table's.
        table: LiteLLM's.
        findings: Takes the faults.
        file: The prices file that an advice names.
    """
    rows: dict[str, PriceRow] = {}
    for model, asked in dict(reversed(list(used))).items():
        packaged = table.row(model)
        row = own.get(model, packaged)
        if "${" in model:
            continue
        if row is None:
            problem = f"the model {model!r} has no price"
            findings.add(asked.file, problem, _advice(model, file), line=asked.line, path=asked.path)
        elif is_local(model) and row.usd_per_core_hour is None:
            problem = f"the local model {model!r} has no price by the core hour"
            findings.add(asked.file, problem, _advice(model, file), line=asked.line, path=asked.path)
        else:
            limit = row.max_output_tokens or (packaged.max_output_tokens if packaged else None)
            rows[model] = replace(row, max_output_tokens=limit)
            if row.hourly and not model.startswith("local/"):
                findings.note(_hourly(model, file))
    return Prices(rows=dict(sorted(rows.items())), table_sha256=table.sha256, litellm_version=table.version)


def _hourly(model: str, file: str) -> str:
    return (
        f"{file}: {model} is priced by the hour of its server, and only servers that are managed here tell how long a "
        "request kept them busy: without that its cost is absent. A price by the token needs no telling."
    )


def imported_prices(
    wanted: Iterable[tuple[int, ImportedVariant]],
    own: Mapping[str, PriceRow],
    table: PriceTable,
    place: Place,
    file: str,
) -> dict[str, PriceRow]:
    """The rows by which imported answers without dollars are priced; a notice for each variant that has none.

    Args:
        wanted: How many answers carry tokens and no dollars, and the variant whose they are.
        own: The workspace's rows, which replace the table's.
        table: LiteLLM's.
        place: The evaluation, whose findings take the notices.
        file: The prices file that a notice names.
    """
    rows: dict[str, PriceRow] = {}
    for how_many, variant in wanted:
        row = None if variant.model is None else own.get(variant.model, table.row(variant.model))
        head = f"{place.file}: {variant.name}: {how_many} answers carry tokens and no cost_usd"
        if variant.model is None:
            place.findings.note(f"{head}, and no `model` names a price for them, so that its cost is absent.")
        elif lacking := _lacking(row, variant.serving.mode):
            place.findings.note(f"{head}, and {variant.model} has no {lacking} in {file}: its cost is absent.")
        if row is not None:
            rows[row.model] = row
    return rows


def _lacking(row: PriceRow | None, mode: Mode) -> str:
    """The price that is missing for tokens alone; empty where none is."""
    found = None if row is None else rates(row, mode)
    if found is None:
        return "price"
    if isinstance(found, Absent):
        return "batch price"
    return "" if found.compute is None else "price by the token alone"


def check_batch_prices(batched: Iterable[tuple[str, Asked]], prices: Prices, findings: Findings, file: str) -> None:
    """A fault for each model that is used in batches and has no batch price: no run could tell what it costs."""
    for model, asked in batched:
        row = prices.rows.get(model)
        if row is not None and isinstance(rates(row, "batch"), Absent):
            columns = "`input_cost_per_token_batches` and `output_cost_per_token_batches`"
            advice = f"Add {columns} to its row under `models:` of {file}, or use it live."
            findings.add(
                asked.file, f"the model {model!r} has no batch price", advice, line=asked.line, path=asked.path
            )


def _advice(model: str, file: str) -> str:
    row = "{input_cost_per_token: 1.0e-6, output_cost_per_token: 2.0e-6}"
    if is_local(model):
        row = "{usd_per_core_hour: 0.04}"
    return f"Add it under `models:` of {file}: `{model}: {row}`; a price of 0 counts when it is stated."
