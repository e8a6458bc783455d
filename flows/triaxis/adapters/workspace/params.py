"""Parameters of a call, as they go into the canonical request."""

from __future__ import annotations

from collections.abc import Mapping

from triaxis.adapters.workspace.findings import Place
from triaxis.adapters.workspace.tree import Node, Path
from triaxis.adapters.workspace.wire_calls import WireParams
from triaxis.domain.canonical import JsonValue

_NOT_PARAMETERS: Mapping[str, str] = {
    "model": "Write `model` beside `params`.",
    "messages": "Messages come from the case and the prompt.",
    "input": "The texts are those of answers and cases.",
    "encoding_format": "Leave it out: however they are sent, vectors are kept as 32-bit floats.",
    "stream": "Generations are not streamed; a probe always is.",
    "stream_options": "Generations are not streamed; a probe always is.",
    "n": "Write `samples: N` beside `params`.",
    "api_base": "Write `api_base` beside `params`.",
    "base_url": "Write `api_base` beside `params`.",
    "custom_llm_provider": "Write the provider before the model's name, as in openai/gpt-4o.",
    "timeout": "Write it under `limits`.",
    "request_timeout": "Write it under `limits`.",
    "max_retries": "Write `max_attempts` under `limits`.",
    "num_retries": "Write `max_attempts` under `limits`.",
    "fallbacks": "Remove it: a fallback would measure another model.",
    "mock_response": "Remove it: a mocked answer measures nothing.",
    "cache": "Remove it: answers are kept by the row store.",
}
"""Keys that are legal in a call but are given elsewhere, or never."""


def params_of(place: Place, path: Path, node: Node | None) -> dict[str, JsonValue]:
    """The parameters, with faults for those that belong elsewhere or are misspelt.

    Every provider has parameters of its own, so an unknown name is sent. One that is a slip of the pen away from a name
    that all of them know is not: it would be ignored in silence, or refused call by call.
    """
    params: dict[str, JsonValue] = {}
    entries: Mapping[str, Node] = {} if node is None else node.entries
    for key, child in entries.items():
        if key in _NOT_PARAMETERS:
            place.fault((*path, key), f"{key} is not a parameter of the call", _NOT_PARAMETERS[key])
        elif meant := [name for name in WireParams.model_fields if _is_slip(key, name)]:
            place.fault((*path, key), f"{key[:60]!r} is not a parameter of any model", f"Did you mean {meant[0]!r}?")
        elif child.value is not None:
            params[key] = child.plain()
    return params


def _is_slip(written: str, name: str) -> bool:
    """Whether a name was meant that has a letter more or less, two swapped, or other case or joints.

    Another letter is no slip: `top_k` is not `top_p`.
    """
    letters = written.casefold().replace("_", "").replace("-", "")
    meant = name.replace("_", "")
    swapped = {f"{meant[:i]}{meant[i + 1]}{meant[i]}{meant[i + 2 :]}" for i in range(len(meant) - 1)}
    slips = {meant} | swapped | _one_less(meant)
    return written != name and (letters in slips or meant in _one_less(letters))


def _one_less(letters: str) -> set[str]:
    return {letters[:i] + letters[i + 1 :] for i in range(len(letters))}
