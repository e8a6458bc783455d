"""evaluation.yaml as it is written."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from triaxis.adapters.workspace.wire import (
    Count,
    NonNegative,
    Positive,
    Share,
    Text,
    VariantName,
    Wire,
    WireFile,
    WireWhere,
)
from triaxis.adapters.workspace.wire_calls import WireParams, WireProbe
from triaxis.adapters.workspace.wire_routers import AnyRouter, WireCascade

Lever: TypeAlias = Literal[
    "tiering",
    "fine_tuning",
    "prompt_caching",
    "quantization",
    "speculative_decoding",
    "max_tokens",
    "stop",
    "batching",
    "retrieval",
    "human_review",
]


class WireSample(Wire):
    """A part of the dataset."""

    cases: Count
    """How many cases are drawn."""
    by: list[Text] = Field(default=[])
    """Slice tags, or `route`, whose strata keep their shares."""
    seed: int = 1
    """Another seed draws another sample."""


class WireSplit(Wire):
    """The dataset parted in two; sessions are never parted."""

    holdout: Annotated[float, Field(gt=0, lt=1)]
    """Share of the cases that is held out."""
    use: Literal["rest", "holdout"]
    """The side that this evaluation looks at."""
    by: list[Text] = Field(default=[])
    """Slice tags, or `route`, whose strata each give their share."""
    seed: int = 1
    """Another seed holds other cases out."""


class WireDataset(Wire):
    """Ground truth: a path, and how it is read."""

    path: Text
    """A .jsonl, .csv or .parquet file."""
    columns: dict[Text, Text] = Field(default={})
    """Key of a case (`input`, `slice.TAG`, ...) to the column or key of the file that holds it."""
    split: WireSplit | None = None
    """Evaluates one side of the dataset: the rest, or the holdout on which a chosen variant is confirmed."""
    sample: WireSample | None = None
    """Evaluates a part only, drawn by case id."""


class WireServing(Wire):
    """How the variant would run in production."""

    mode: Literal["live", "batch"] = "live"
    """Production cost is priced for this."""
    surface: Text | None = None
    """The surface of the product that it serves."""
    interactive: bool = True
    """Whether a person waits for the answer."""
    cache_hit_rate: Share | None = None
    """Share of prompt tokens read from the cache, where it is declared and not measured."""


class WireResponses(Wire):
    """Outputs that exist already: a path, and how it is read."""

    path: Text
    """A .jsonl, .csv or .parquet file, or a batch result file of OpenAI, Anthropic or Google."""
    columns: dict[Text, Text] = Field(default={})
    """Key of a response (`id`, `response`, ...) to the column or key of the file that holds it."""
    where: WireWhere = Field(default={})
    """Columns or keys of the file with the values that the variant's rows have there, compared as text."""


class WireRetriever(Wire):
    """Where the context of each case comes from."""

    corpus: Text
    """A .jsonl file of passages, `{"id", "text"}`."""
    k: Annotated[int, Field(ge=1, le=100)] = 3
    """Most passages that a case gets."""
    by: Literal["bm25", "tfidf"] = "bm25"
    """How passages are ranked."""


class WireVariant(Wire):
    """One LLM setup under comparison."""

    extends: Text | None = None
    """The variant that this one copies and overrides, deeply; null removes."""
    levers: list[Lever] = Field(default=[])
    """Levers that it pulls against the variant it extends; not copied by `extends`."""
    serving: WireServing = WireServing()
    """How it would run in production."""
    model: Text | None = None
    """A LiteLLM model name such as openai/gpt-4o-mini, or local/NAME."""
    api_base: Text | None = None
    """Address of the server, where it is not the provider's own."""
    endpoint: Text | None = None
    """Identity of the server in keys and hashes; else host and port of api_base."""
    prompt: Text | None = None
    """A template file; without one the input is sent as it is."""
    params: WireParams = WireParams()
    """Parameters of the call."""
    samples: Annotated[int, Field(ge=1, le=1000)] = 1
    """Answers to each case."""
    probe: WireProbe | None = None
    """The load that measures latency; without one the variant has none."""
    retriever: WireRetriever | None = None
    """Picks the context of each case from a corpus; without one cases have their own."""
    transport: Literal["live", "batch", "import"] = "live"
    """How calls are made: one by one, or in the provider's batches at their lower price; import makes none."""
    fallback: Literal["live"] | None = None
    """With transport batch: rows that batches left over are asked for live."""
    responses: WireResponses | None = None
    """Outputs that exist already, for transport import: the path of a file, or a mapping with `path`."""
    router: object = None
    """Makes the variant a view over other variants."""
    cascade: WireCascade | None = None
    """Makes the variant a view over two others: the second answers where the first one's answer is not good enough."""


class WireLimits(Wire):
    """Bounds on a run."""

    max_usd: NonNegative | None = None
    """A run that may cost more stops before it spends."""
    concurrency: Count = 32
    """Most calls at a time."""
    requests_per_min: Positive | None = None
    """Most requests a minute, per provider."""
    tokens_per_min: Positive | None = None
    """Most tokens a minute, per provider."""
    max_attempts: Count = 6
    """Most times that one call is tried."""
    batch_rows: Count | None = None
    """Most rows of one provider batch, where that is less than the provider takes."""
    batch_rounds: Count = 3
    """In so many batches, one after the other, a row may be before it is given up."""
    connect_timeout_s: Positive = 10.0
    """Seconds until a connection must stand."""
    first_token_timeout_s: Positive = 60.0
    """Seconds until an answer must begin."""
    total_timeout_s: Positive = 300.0
    """Seconds until an answer must have ended."""


class WireLevers(Wire):
    """Levers whose combinations are evaluated as well."""

    factorial: Annotated[list[Text], Field(min_length=1)]
    """Variants that all extend the same one; their combinations become variants such as `cache+cap`."""
    fraction: Literal["full", "half"] = "full"
    """`half` takes the combinations of an odd number of levers only: fewer answers, and interactions that cannot be
    told apart."""


class WireEvaluationShell(WireFile):
    """An evaluation whose variants are looked at one by one."""

    name: Text | None = None
    """What the evaluation is called; else the file's own name."""
    dataset: WireDataset
    """Ground truth: the path of a .jsonl, .csv or .parquet file, or a mapping with `path`."""
    human: Text | None = None
    """Human labels, a .jsonl file."""
    expectations: Text | None = None
    """A Great Expectations suite for the cases, a .json file."""
    reports: Text = "reports"
    """The folder for reports and evidence."""
    store: Text | None = None
    """Where paid answers are kept: a folder, or a URL such as s3://BUCKET/FOLDER that several workers share."""
    rubric: Text
    """The path of rubric.yaml: what is scored, and how."""
    slo: Text
    """The path of slo.yaml: the objectives."""
    prices: Text | None = None
    """Rows that override or add to LiteLLM's price table."""
    baseline: Text
    """The name of the variant that the others are compared with."""
    limits: WireLimits = WireLimits()
    """Bounds on a run."""
    on_bad_cases: Literal["stop", "quarantine"] = "stop"
    """Whether a case that fails validation stops the run or is left out."""
    variants: Annotated[dict[VariantName, object], Field(min_length=1)]
    """The setups under comparison, by name."""
    levers: WireLevers | None = None
    """Levers whose combinations are evaluated as well."""


class WireVariantAsWritten(WireVariant):
    """One LLM setup under comparison."""

    router: AnyRouter | None = None  # pyright: ignore[reportIncompatibleVariableOverride] - as editors see it
    """Makes the variant a view over other variants."""
    responses: Text | WireResponses | None = None  # pyright: ignore[reportIncompatibleVariableOverride] - as editors see it
    """Outputs that exist already, for transport import: the path of a file, or a mapping with `path`."""


class WireEvaluation(WireEvaluationShell):
    """What is evaluated: files, limits and variants."""

    dataset: Text | WireDataset  # pyright: ignore[reportIncompatibleVariableOverride] - as editors see it
    """Ground truth: the path of a .jsonl, .csv or .parquet file, or a mapping with `path`."""
    variants: Annotated[dict[VariantName, WireVariantAsWritten], Field(min_length=1)]  # pyright: ignore[reportIncompatibleVariableOverride]
    """The setups under comparison, by name."""
