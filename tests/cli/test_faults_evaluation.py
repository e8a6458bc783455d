"""Malformed evaluations, prices and prompts: each is told of by file, line, field and advice."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import EVALUATION, jsonl, write_workspace
from malformed import Bad, Edit, Swap, faults_of, matching, read, written

API_KEY = "sk-made-up-0123456789abcdef"


def bad(name: str, edit: Edit, *, line: int | None = None, field: str = "", says: str = "", hides: str = "") -> Bad:
    return Bad(name=name, edits={"evaluation": edit}, file="evaluation", line=line, field=field, says=says, hides=hides)


def after(anchor: str, text: str) -> Swap:
    """The anchor with lines after it."""
    return (anchor, anchor + text)


MODEL = "    model: openai/big\n"

FILES: list[Bad] = [
    bad("empty", "", says="empty"),
    bad("a list", "- a\n- b\n", line=1, says="no mapping"),
    bad("a text", "hello\n", line=1, says="no mapping"),
    bad("a tab", after("limits:\n", "\tmax_usd: 3\n"), line=11, says="spaces"),
    bad("an open bracket", after("limits:\n", "  x: [a, b\n"), says="not valid YAML"),
    bad("two documents", EVALUATION + "---\n" + EVALUATION, says="one document"),
    bad("a key twice", after("baseline: big\n", "baseline: small\n"), line=10, field="baseline", says="line 9"),
    bad("a variant twice", EVALUATION + "  big:\n    model: openai/big\n", field="variants.big", says="twice"),
    bad("a tag", ("name: tiny", "name: !!python/object/apply:os.system [ls]"), field="name", says="not allowed"),
    bad(
        "a bomb",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)),
        says="unfolds",
    ),
    bad("an alias of itself", ("name: tiny", "name: &n [*n]"), field="name", says="alias"),
    bad("nested without end", "a: " + "[" * 5000, says="nested"),
    bad("too large", "# " + "x" * 600_000 + "\n" + EVALUATION, says="larger"),
    bad("Latin-1", EVALUATION.encode() + b"# caf\xe9\n", line=39, says="UTF-8"),
    bad("UTF-16", EVALUATION.encode("utf-16"), line=1, says="UTF-16"),
    bad("binary", b"\x00\x01\x02", line=1, says="binary"),
    bad("missing", None, says="no file"),
]

VALUES: list[Bad] = [
    bad("unknown version", ("schema_version: 1", "schema_version: 2"), line=1, field="schema_version"),
    bad("name a number", ("name: tiny", "name: 12"), line=2, field="name", says='name: "12"'),
    bad("name blank", ("name: tiny", "name: ' '"), line=2, field="name"),
    bad("unknown key", after("name: tiny\n", "datset: x\n"), line=3, field="datset", says="'dataset'"),
    bad("no dataset", ("dataset: datasets/tiny/cases.jsonl\n", ""), field="dataset", says="required"),
    bad("no rubric", ("rubric: rubrics/tiny/rubric.yaml\n", ""), field="rubric", says="required"),
    bad("no slo", ("slo: rubrics/tiny/slo.yaml\n", ""), field="slo", says="required"),
    bad("no baseline", ("baseline: big\n", ""), field="baseline", says="required"),
    bad("no variants", EVALUATION[: EVALUATION.index("variants:")], field="variants", says="required"),
    bad(
        "empty variants", EVALUATION[: EVALUATION.index("variants:")] + "variants: {}\n", field="variants", says="empty"
    ),
    bad("unknown baseline", ("baseline: big", "baseline: bigg"), line=9, field="baseline", says="Did you mean 'big'?"),
    bad("rubric missing", ("rubric.yaml", "rubrik.yaml"), line=6, field="rubric", says="rubric.yaml"),
    bad("path upwards", ("rubrics/tiny/rubric.yaml", "../rubric.yaml"), line=6, field="rubric", says="leaves"),
    bad("absolute path", ("rubrics/tiny/slo.yaml", "/etc/passwd"), line=7, field="slo", says="leaves"),
    bad("reports outside", after("name: tiny\n", "reports: ../out\n"), line=3, field="reports", says="leaves"),
    bad("max_usd a text", ("max_usd: 5.0", "max_usd: $5"), line=11, field="limits.max_usd", says="number"),
    bad("max_usd negative", ("max_usd: 5.0", "max_usd: -5"), line=11, field="limits.max_usd", says="at least 0"),
    bad("max_usd NaN", ("max_usd: 5.0", "max_usd: .nan"), line=11, field="limits.max_usd", says="finite"),
    bad("max_usd infinite", ("max_usd: 5.0", "max_usd: .inf"), line=11, field="limits.max_usd", says="finite"),
    bad("concurrency zero", ("concurrency: 8", "concurrency: 0"), line=12, field="limits.concurrency"),
    bad("concurrency a fraction", ("concurrency: 8", "concurrency: 8.5"), line=12, field="concurrency", says="whole"),
    bad("unknown limit", ("concurrency: 8", "concurency: 8"), line=12, field="limits.concurency", says="concurrency"),
    bad("on_bad_cases", after("name: tiny\n", "on_bad_cases: skip\n"), line=3, says="quarantine"),
    bad(
        "sample of none",
        ("dataset: datasets/tiny/cases.jsonl", "dataset: {path: datasets/tiny/cases.jsonl, sample: {cases: 0}}"),
        line=3,
        field="dataset.sample.cases",
    ),
    bad(
        "a holdout of everything",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, split: {holdout: 1, use: rest}}",
        ),
        line=3,
        field="dataset.split.holdout",
        says="below 1",
    ),
    bad(
        "a holdout of none",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, split: {holdout: 0, use: rest}}",
        ),
        line=3,
        field="dataset.split.holdout",
        says="above 0",
    ),
    bad(
        "neither side",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, split: {holdout: 0.3, use: both}}",
        ),
        line=3,
        field="dataset.split.use",
        says="rest",
    ),
    bad(
        "a split without a side",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, split: {holdout: 0.3}}",
        ),
        line=3,
        field="dataset.split.use",
        says="",
    ),
    bad(
        "a split by no tag",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, split: {holdout: 0.3, use: rest, by: [knid]}}",
        ),
        line=3,
        field="dataset.split.by",
        says="kind",
    ),
    bad(
        "an empty side",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, split: {holdout: 0.0001, use: rest}}",
        ),
        line=3,
        field="dataset.split",
        says="leaves one side empty",
    ),
    bad(
        "sample by no tag",
        (
            "dataset: datasets/tiny/cases.jsonl",
            "dataset: {path: datasets/tiny/cases.jsonl, sample: {cases: 5, by: [knid]}}",
        ),
        line=3,
        field="dataset.sample.by",
        says="'kind'",
    ),
    bad(
        "columns of no key",
        ("dataset: datasets/tiny/cases.jsonl", "dataset: {path: datasets/tiny/cases.jsonl, columns: {inptu: q}}"),
        line=3,
        field="dataset.columns",
        says="'input'",
    ),
    bad(
        "columns not there",
        ("dataset: datasets/tiny/cases.jsonl", "dataset: {path: datasets/tiny/cases.csv, columns: {input: q}}"),
        line=3,
        field="dataset.path",
    ),
]

VARIANTS: list[Bad] = [
    bad(
        "variant a text",
        ("  small:\n    extends: big\n", "  small: big\n  odd:\n    extends: big\n"),
        line=22,
        field="variants.small",
        says="mapping",
    ),
    bad("variant of an odd name", ("  small:\n", "  'sm/all':\n"), field="variants", says="letters"),
    bad(
        "unknown key of a variant", after(MODEL, "    promt: x\n"), line=16, field="variants.big.promt", says="'prompt'"
    ),
    bad("no model", (MODEL, ""), field="variants.big.model", says="names no model"),
    bad("model a number", (MODEL, "    model: 4\n"), line=15, field="variants.big.model"),
    bad("extends nothing", ("extends: big", "extends: bgi"), field="variants.small.extends", says="'big'"),
    bad("extends itself", after("  big:\n", "    extends: small\n"), field="extends", says="itself"),
    bad("unknown lever", ("levers: [tiering]", "levers: [teiring]"), field="variants.small.levers.0", says="'tiering'"),
    bad("prompt missing", ("prompts/answer.md", "prompts/anwser.md"), field="variants.big.prompt", says="answer.md"),
    bad("max_tokens zero", ("max_tokens: 600", "max_tokens: 0"), line=21, field="variants.big.params.max_tokens"),
    bad("max_tokens a text", ("max_tokens: 600", "max_tokens: '600'"), field="params.max_tokens", says="quotes"),
    bad("temperature a text", ("temperature: 0", "temperature: cold"), line=20, field="params.temperature"),
    bad("stop a number", ("temperature: 0", "stop: 3"), line=20, field="params.stop"),
    bad("n among params", ("temperature: 0", "n: 3"), line=20, field="params.n", says="samples"),
    bad("a letter short", ("max_tokens: 600", "max_token: 600"), field="params.max_token", says="'max_tokens'"),
    bad("letters swapped", ("temperature: 0", "tempearture: 0"), field="params.tempearture", says="'temperature'"),
    bad("a letter more", ("temperature: 0", "stops: x"), line=20, field="params.stops", says="'stop'"),
    bad("other joints", ("temperature: 0", "top-P: 1"), line=20, field="params.top-P", says="'top_p'"),
    bad("stream among params", ("temperature: 0", "stream: true"), line=20, field="params.stream"),
    bad("samples zero", after(MODEL, "    samples: 0\n"), line=16, field="variants.big.samples"),
    bad("fallback without a batch", after(MODEL, "    fallback: live\n"), line=16, field="fallback", says="batch"),
    bad("transport unknown", after(MODEL, "    transport: fax\n"), line=16, field="transport", says="live"),
    bad("probe without a rate", after(MODEL, "    probe: {requests: 20}\n"), line=16, field="probe.rate_per_s"),
    bad(
        "probe of few requests",
        after(MODEL, "    probe: {rate_per_s: 1, requests: 3}\n"),
        line=16,
        field="probe.requests",
    ),
    bad("probe without a trace", after(MODEL, "    probe: {arrival: trace}\n"), line=16, field="probe.path"),
    bad("probe of unknown arrival", after(MODEL, "    probe: {arrival: possion, rate_per_s: 1}\n"), says="'poisson'"),
    bad("cache_hit_rate in percent", after(MODEL, "    serving: {cache_hit_rate: 80}\n"), says="at most 1"),
    bad(
        "served in batches without a batch price",
        after(MODEL, "    serving: {mode: batch}\n"),
        line=16,
        field="variants.big.serving.mode",
        says="`input_cost_per_token_batches`",
    ),
    bad("interactive: no", after(MODEL, "    serving: {interactive: no}\n"), field="serving.interactive", says="true"),
    bad("api_base no address", ("http://127.0.0.1:9/v1", "localhost"), field="api_base", says="http://"),
    bad("api_base of no port", ("http://127.0.0.1:9/v1", "http://127.0.0.1:99999/v1"), field="api_base"),
    bad(
        "unknown local model",
        ("    model: openai/small\n", "    model: local/smolm2-135m\n    api_base: null\n    endpoint: null\n"),
        field="variants.small.model",
        says="local/smollm2-135m",
    ),
    bad(
        "local model that nobody has quantised yet",
        ("    model: openai/small\n", "    model: local/smollm2-135m-q5_1\n    api_base: null\n    endpoint: null\n"),
        field="variants.small.model",
        says="quantized local/smollm2-135m q5_1",
    ),
    bad(
        "local model elsewhere",
        ("model: openai/small", "model: local/smollm2-135m"),
        field="variants.small",
        says="managed",
    ),
    bad(
        "model without a price", ("model: openai/small", "model: openai/tiny"), field="small.model", says="prices.yaml"
    ),
    bad(
        "two addresses",
        after(
            "    model: openai/small\n",
            "    api_base: http://other/v1\n  more:\n    extends: small\n    api_base: http://third/v1\n",
        ),
        field="api_base",
        says="another address",
    ),
]

ROUTERS: list[Bad] = [
    bad("unknown router", ("by: field", "by: embedding"), field="variants.routed.router.by", says="field"),
    bad("router without arms", ("        simple: small\n        complex: big\n", "        {}\n"), field="router.arms"),
    bad("arm that is no variant", ("simple: small", "simple: smal"), field="router.arms.simple", says="'small'"),
    bad("arm that is routed", ("simple: small", "simple: routed"), field="router.arms.simple", says="routed variant"),
    bad("default that is no variant", ("      oracle: route", "      default: bgi"), field="router.default"),
    bad("oracle that is no tag", ("oracle: route", "oracle: roote"), field="router.oracle", says="'route'"),
    bad("field that is no tag", ("field: route", "field: rout"), field="router.field", says="'route'"),
    bad("router with a model", after("  routed:\n", "    model: openai/big\n"), field="variants.routed.model"),
    Bad(
        name="a case without an arm",
        edits={"evaluation": ("        complex: big\n", "")},
        file="evaluation",
        case="case-04",
        field="variants.routed.router.arms",
        says="and 2 more",
    ),
]

KEYS: list[Bad] = [
    bad(
        "api_key",
        after(MODEL, f"    api_key: {API_KEY}\n"),
        line=16,
        field="api_key",
        says="environment",
        hides=API_KEY,
    ),
    bad("key among params", ("temperature: 0", f"api_key: {API_KEY}"), field="params.api_key", hides=API_KEY),
    bad("key as endpoint", ("endpoint: bench", f"endpoint: {API_KEY}"), field="endpoint", hides=API_KEY),
    bad("key in a header", ("temperature: 0", f"extra_headers: {{Authorization: Bearer {API_KEY}}}"), hides=API_KEY),
    bad("password in the address", ("127.0.0.1:9", f"ann:{API_KEY}@host"), field="api_base", hides=API_KEY),
    bad("key in the address", ("9/v1", f"9/v1?key={API_KEY}"), field="api_base", hides=API_KEY),
    bad("variable in a model", (MODEL, "    model: openai/${NAME}\n"), line=15, field="model", says="hashed"),
    bad("variable in a path", ("prompts/answer.md", "${DIR}/answer.md"), field="prompt", says="hashed"),
    bad("variable without a value", ("http://127.0.0.1:9/v1", "${NOT_SET}"), field="api_base", says="no NOT_SET"),
]

PRICES: list[Bad] = [
    Bad(name="prices missing", edits={"prices": None}, file="evaluation", line=8, field="prices", says="no file"),
    Bad(name="prices empty", edits={"prices": ""}, file="prices", says="empty"),
    Bad(name="price negative", edits={"prices": ("1.0e-5", "-1.0e-5")}, file="prices", line=4, says="at least 0"),
    Bad(name="price a text", edits={"prices": ("1.0e-5", "cheap")}, file="prices", line=4, says="number"),
    Bad(name="price in dollars", edits={"prices": ("1.0e-5", "$1e-5")}, file="prices", line=4, says="unit"),
    Bad(
        name="unknown price column",
        edits={"prices": ("input_cost_per_token", "input_cost_per_tokens")},
        file="prices",
        line=4,
        field="models.openai/big.input_cost_per_tokens",
        says="'input_cost_per_token'",
    ),
    Bad(
        name="half a price",
        edits={"prices": ("    output_cost_per_token: 3.0e-5\n", "")},
        file="prices",
        field="models.openai/big.output_cost_per_token",
        says="required",
    ),
    Bad(
        name="two hourly prices",
        edits={"prices": ("input_cost_per_token: 1.0e-5", "usd_per_core_hour: 1\n    usd_per_gpu_hour: 2")},
        file="prices",
        line=3,
        says="Keep",
    ),
]

PROMPTS: list[Bad] = [
    Bad(name="prompt of bad syntax", edits={"prompt": ("{{ input }}", "{{ input }")}, file="prompt", line=5),
    Bad(name="prompt of an open block", edits={"prompt": "a\n{% if input %}\nb\n"}, file="prompt", says="block"),
    Bad(
        name="prompt of unknown name",
        edits={"prompt": ("{{ input }}", "{{ inptu }}")},
        file="prompt",
        line=5,
        says="'input'",
    ),
    Bad(
        name="prompt that leaks",
        edits={"prompt": ("{{ input }}", "{{ expected }}")},
        file="prompt",
        line=5,
        says="judges",
    ),
    Bad(
        name="prompt of unknown filter", edits={"prompt": ("{{ input }}", "{{ input | uper }}")}, file="prompt", line=5
    ),
    Bad(name="prompt of unknown role", edits={"prompt": ("--- user", "--- usr")}, file="prompt", line=3, says="'user'"),
    Bad(name="prompt before its first role", edits={"prompt": ("--- system", "Hi\n--- system")}, file="prompt", line=1),
    Bad(name="prompt that includes", edits={"prompt": "{% include 'x' %}"}, file="prompt", line=1, says="one file"),
    Bad(name="prompt empty", edits={"prompt": "\n\n"}, file="prompt", line=1, says="empty"),
    Bad(name="prompt in Latin-1", edits={"prompt": b"caf\xe9"}, file="prompt", line=1, says="UTF-8"),
    Bad(
        name="prompt of a tag some lack",
        edits={"prompt": ("{{ input }}", "{{ slice.knd }}")},
        file="prompt",
        line=5,
        case="case-01",
        says="is defined",
    ),
    Bad(
        name="prompt out of the sandbox",
        edits={"prompt": ("{{ input }}", "{{ input.__class__.__mro__ }}")},
        file="prompt",
        line=5,
        case="case-01",
        says="unsafe",
    ),
]

ALL = [*FILES, *VALUES, *VARIANTS, *ROUTERS, *KEYS, *PRICES, *PROMPTS]


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: bad.name)
def test_malformed_evaluations_are_told_of(tmp_path: Path, bad: Bad) -> None:
    faults = faults_of(written(tmp_path, bad.edits), {"NAME": "big", "DIR": "prompts"})
    assert matching(faults, bad), "\n".join(map(str, faults)) or "no fault"
    assert all(fault.advice.strip() and fault.problem.strip() for fault in faults)
    assert not bad.hides or bad.hides not in "\n".join(map(str, faults))


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """One broken file hides no other's faults, and one fault no other of its file."""
    edits: dict[str, Edit] = {
        "evaluation": [
            ("levers: [tiering]", "levers: [teiring]"),
            ("max_tokens: 20", "max_tokens: -1"),
            ("big\n", "bgi\n"),
        ],
        "rubric": "dimensions: [",
        "slo": [("min: 0.5", "min: 5"), ("max_rate: 0.01", "max_rate: 2")],
        "prices": ("1.0e-5", "x"),
        "prompt": "{{ nothing }}",
        "cases": jsonl([{"id": 1, "input": "a"}]),
        "human": ('"score": 1', '"score": 7'),
        "expectations": "{",
    }
    faults = faults_of(written(tmp_path, edits))
    assert {fault.file for fault in faults} >= {
        "evaluation.yaml",
        "rubrics/tiny/rubric.yaml",
        "rubrics/tiny/slo.yaml",
        "prices.yaml",
        "datasets/tiny/cases.jsonl",
        "datasets/tiny/human.jsonl",
        "datasets/tiny/expectations.json",
    }
    assert len([f for f in faults if f.file == "evaluation.yaml"]) == 3
    assert len([f for f in faults if f.file.endswith("slo.yaml")]) == 2


def test_an_inherited_fault_is_told_once(tmp_path: Path) -> None:
    faults = faults_of(written(tmp_path, {"evaluation": ("temperature: 0", "temperature: -1")}))
    assert [fault.field for fault in faults] == ["variants.big.params.temperature"]


def test_a_name_that_only_some_models_know_is_no_slip(tmp_path: Path) -> None:
    asked = "temperature: 0\n      top_k: 5\n      min_tokens: 3\n      stop_token_ids: [2]"
    assert faults_of(written(tmp_path, {"evaluation": ("temperature: 0", asked)})) == ()


def test_links_out_of_the_workspace_are_not_followed(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "inside")
    (tmp_path / "secret.md").write_text("{{ input }}")
    (root / "prompts/answer.md").unlink()
    (root / "prompts/answer.md").symlink_to(tmp_path / "secret.md")
    (fault,) = faults_of(root)
    assert (fault.field, "link" in fault.problem) == ("variants.big.prompt", True)


def test_unreadable_addresses_come_from_the_environment(tmp_path: Path) -> None:
    """An address may differ between machines as long as an endpoint stands for it."""
    root = written(tmp_path, {"evaluation": ("http://127.0.0.1:9/v1", "${BASE}/v1")})
    targets = read(root, {"BASE": "http://HOST"}).operations.targets
    assert targets["openai/big@bench"].api_base == "http://HOST/v1"
    written(tmp_path, {"evaluation": [("http://127.0.0.1:9/v1", "${BASE}/v1"), ("    endpoint: bench\n", "")]})
    (fault,) = faults_of(root, {"BASE": "http://HOST"})[:1]
    assert "without an endpoint" in fault.problem
