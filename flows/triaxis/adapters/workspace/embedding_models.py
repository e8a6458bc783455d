"""Which models can make embeddings: LiteLLM's table says so of those that it lists."""

from __future__ import annotations

from collections.abc import Container, Iterable

from triaxis.adapters.models.price_table import PriceTable
from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.folder import Asked

EMBEDDING = "embedding"


def check_embedding_models(
    used: Iterable[tuple[str, Asked]], own: Container[str], table: PriceTable, findings: Findings
) -> None:
    """A fault for each model that is asked for embeddings and is listed as one of another kind.

    A model with a price row of the workspace's own is what its author says it is.
    """
    for model, asked in used:
        mode = None if model in own else table.mode(model)
        if mode is not None and mode != EMBEDDING:
            problem = f"{model!r} makes no embeddings: LiteLLM lists it for {mode.replace('_', ' ')}"
            advice = "Name an embedding model, such as openai/text-embedding-3-small or local/smollm2-135m."
            findings.add(asked.file, problem, advice, line=asked.line, path=asked.path)
