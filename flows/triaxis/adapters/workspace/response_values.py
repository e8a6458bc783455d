"""One imported output from the mapping that a row of a file holds; `wrong` is told of every fault."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from triaxis.adapters.workspace.case_values import Wrong, read_steps
from triaxis.adapters.workspace.data_files import Row
from triaxis.adapters.workspace.explain import shown
from triaxis.adapters.workspace.json_text import loads
from triaxis.domain.responses import ImportedResponse

NUMBERS = ("ttft_ms", "latency_ms", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd")
KEYS = frozenset({"id", "response", "error", "finish_reason", "model", "steps", *NUMBERS})


def read_response(row: Row, variant: str, wrong: Wrong) -> ImportedResponse | None:
    """The output of a row whose keys are among `KEYS`; None where it has no id, or anything that does not fit."""
    get, flawed = row.get, False

    def told(field: str, problem: str, advice: str) -> None:
        nonlocal flawed
        flawed = True
        wrong(field, problem, advice)

    response = ImportedResponse(
        variant=variant,
        case_id=_id(get("id"), told),
        response=_text("response", get("response"), told),
        error=_text("error", get("error"), told),
        finish_reason=_text("finish_reason", get("finish_reason"), told),
        model=_text("model", get("model"), told),
        ttft_ms=_amount("ttft_ms", get("ttft_ms"), told),
        latency_ms=_amount("latency_ms", get("latency_ms"), told),
        prompt_tokens=_count("prompt_tokens", get("prompt_tokens"), told),
        cached_tokens=_count("cached_tokens", get("cached_tokens"), told),
        completion_tokens=_count("completion_tokens", get("completion_tokens"), told),
        cost_usd=_amount("cost_usd", get("cost_usd"), told),
        steps=() if get("steps") is None else read_steps(get("steps"), told),
    )
    _check_together(response, told)
    return None if flawed else _summed(response)


def _summed(response: ImportedResponse) -> ImportedResponse:
    """With times and dollars that the answer does not say as a whole summed over its steps, where each says them."""
    steps = response.steps
    times = [step.latency_ms for step in steps if step.latency_ms is not None]
    dollars = [step.cost_usd for step in steps if step.cost_usd is not None]
    if response.latency_ms is None and steps and len(times) == len(steps):
        response = replace(response, latency_ms=sum(times))
    if response.cost_usd is None and steps and len(dollars) == len(steps):
        response = replace(response, cost_usd=sum(dollars))
    return response


def typed_cells(row: Row) -> Row:
    """A row of cells as a row of values: a number is read where one belongs."""
    return {key: _number_cell(cell) if key in NUMBERS or key == "steps" else cell for key, cell in row.items()}


def _number_cell(cell: object) -> object:
    try:
        return loads(cell.strip()) if isinstance(cell, str) else cell
    except ValueError:
        return cell


def _id(value: object, wrong: Wrong) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if value is None:
        wrong("id", "is required and missing", 'Give the id of the case that was answered: "id": "case-1".')
    elif isinstance(value, str):
        wrong("id", "is empty", "Give the id of the case that was answered.")
    else:
        wrong("id", f"should be text, not {shown(value)}", f"Write it in quotes: {json.dumps(str(value))[:60]}.")
    return ""


def _text(name: str, value: object, wrong: Wrong) -> str | None:
    if value is None or (isinstance(value, str) and (name == "response" or value.strip())):
        return value
    if isinstance(value, str):
        wrong(name, "is empty", "Leave the key out, or give it a text.")
    else:
        wrong(name, f"should be text, not {shown(value)}", "Write it as text, in quotes.")
    return None


def _amount(name: str, value: object, wrong: Wrong) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        wrong(name, f"should be a number, not {shown(value)}", "Write a number, without quotes and without a unit.")
    elif not (math.isfinite(value) and value >= 0):
        wrong(name, f"{value} is out of range", "Give a number of 0 or more, or leave the key out.")
    else:
        return float(value)
    return None


def _count(name: str, value: object, wrong: Wrong) -> int | None:
    amount = _amount(name, value, wrong)
    if amount is None:
        return None
    if amount.is_integer():
        return int(amount)
    wrong(name, f"{value} is no whole number", "Tokens come whole.")
    return None


def _check_together(response: ImportedResponse, wrong: Wrong) -> None:
    first, last, prompt = response.ttft_ms, response.latency_ms, response.prompt_tokens
    if first is not None and last is not None and first > last:
        advice = "Both run from the send: ttft_ms to the first token, latency_ms to the last."
        wrong("ttft_ms", f"the first token came after {first:g} ms, and the last after {last:g}", advice)
    if response.cached_tokens is not None and prompt is not None and response.cached_tokens > prompt:
        problem = f"{response.cached_tokens} cached tokens are more than the prompt's {prompt}"
        wrong("cached_tokens", problem, "prompt_tokens are all of the prompt's, with the cached ones.")
