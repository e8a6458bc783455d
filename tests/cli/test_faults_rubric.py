"""Malformed rubrics and objectives: each is told of by file, line, field and advice."""

from __future__ import annotations

from pathlib import Path

import pytest
from malformed import Bad, Edit, faults_of, matching, written

SIMILARITY = "evaluator: similarity\n    model: openai/text-embedding-3-small"


def rubric(name: str, edit: Edit, *, line: int | None = None, field: str = "", says: str = "") -> Bad:
    return Bad(name=name, edits={"rubric": edit}, file="rubric", line=line, field=field, says=says)


def slo(name: str, edit: Edit, *, line: int | None = None, field: str = "", says: str = "") -> Bad:
    return Bad(name=name, edits={"slo": edit}, file="slo", line=line, field=field, says=says)


def evaluator(name: str, entry: str, *, field: str = "", says: str = "") -> Bad:
    """The dimension in line 3 with another evaluator, on line 4."""
    edit = ("    evaluator: exact\n    weight: 0.5\n", f"    {entry}\n")
    return rubric(name, edit, field=field, says=says)


def code(name: str, source: str, *, line: int, says: str) -> Bad:
    edits = {
        "rubric": ("    evaluator: exact\n", "    evaluator: python\n    function: evaluators/own.py:grade\n"),
        "evaluators/own.py": source,
    }
    return Bad(name=name, edits=edits, file="evaluators/own.py", line=line, says=says)


def schema(name: str, text: str, *, says: str) -> Bad:
    edits = {
        "rubric": ("    evaluator: exact\n", "    evaluator: json_schema\n    schema: answer.json\n"),
        "rubrics/tiny/answer.json": text,
    }
    return Bad(name=name, edits=edits, file="rubrics/tiny/answer.json", says=says)


JUDGE = (
    "    judges: [strong]\njudges:\n  strong: {}\n",
    "    judges: [strong]\njudges:\n  strong: {model: openai/big}\n",
)

RUBRICS: list[Bad] = [
    rubric("empty", "", says="empty"),
    rubric("no dimensions", "schema_version: 1\n", field="dimensions", says="required"),
    rubric("empty dimensions", "dimensions: {}\n", field="dimensions", says="empty"),
    rubric("dimensions a list", "dimensions: [a]\n", field="dimensions", says="mapping"),
    rubric("unknown key", ("judges:\n  strong", "judgs: {}\njudges:\n  strong"), field="judgs", says="'judges'"),
    rubric("dimension a text", ("  finished:\n    evaluator: finished\n", "  finished: yes\n"), field="finished"),
    rubric("no evaluator", ("    evaluator: exact\n", ""), line=3, field="resolution.evaluator", says="exact"),
    rubric("unknown evaluator", ("evaluator: exact", "evaluator: exakt"), line=4, says="Did you mean 'exact'?"),
    rubric("evaluator a list", ("evaluator: exact", "evaluator: [exact]"), line=4, field="resolution.evaluator"),
    rubric("weight negative", ("weight: 0.5", "weight: -1"), line=5, field="weight", says="at least 0"),
    rubric("weight a text", ("weight: 0.5", "weight: half"), line=5, field="weight", says="number"),
    rubric("unknown normalize", ("weight: 0.5", "normalize: lower"), line=5, says="casefold"),
    rubric("enabled: off", ("weight: 0.5", "enabled: off"), line=5, field="enabled", says="enabled: true"),
    rubric("unknown key of a dimension", ("weight: 0.5", "wieght: 1"), line=5, says="Did you mean 'weight'?"),
    rubric("where of no tag", ("kind: policy", "kidn: policy"), line=9, field="where.kidn", says="'kind'"),
    rubric("where of no value", ("kind: policy", "kind: polici"), line=9, field="where.kind", says="'policy'"),
    rubric("where null", ("kind: policy", "kind: null"), line=9, field="where.kind", says="text, number"),
    rubric("where a mapping", ("kind: policy", "kind: {a: b}"), line=9, field="where.kind"),
    rubric("where of no case", ("kind: policy", "kind: status\n      route: complex\n      kind2: x"), field="kind2"),
    rubric("unknown judge", ("judges: [strong]", "judges: [stong]"), line=15, field="judges.0", says="'strong'"),
    rubric("judge twice", [("judges: [strong]", "judges: [strong, strong]")], line=15, says="twice"),
    rubric("judge prompt missing", ("prompts/faithfulness.md", "prompts/faith.md"), line=14, says="faithfulness.md"),
    rubric("judge a text", ("strong: {}", "strong: openai/big"), line=17, field="judges.strong", says="mapping"),
    rubric("judge without a price", [("strong: {}", "strong: {model: openai/huge}")], line=17, says="no price"),
    rubric("scale upside down", ("judges: [strong]", "scale: [1, 0]"), line=15, field="scale", says="lowest"),
    rubric("scale of three", ("judges: [strong]", "scale: [0, 1, 2]"), line=15, field="scale"),
    rubric("escalate outside", ("judges: [strong]", "escalate: {between: [0.3, 7]}"), line=15, field="between"),
    rubric("escalate upside down", ("judges: [strong]", "escalate: {between: [0.7, 0.3]}"), line=15, says="lower"),
    rubric("unknown license", ("judges: [strong]", "license: nope"), line=15, field="license", says="none"),
    rubric("judge key", [("strong: {}", "strong: {model: openai/big, api_key: x}")], line=17, says="environment"),
    rubric(
        "judge elsewhere",
        [("strong: {}", "strong: {model: openai/big, api_base: 'http://a/v1', endpoint: bench}")],
        field="judges",
        says="two addresses",
    ),
    evaluator("contains any and all", "evaluator: contains\n    any: true\n    all: true", says="any and for all"),
    evaluator("contains of unknown key", "evaluator: contains\n    some: true", field="some", says="any"),
    evaluator("regex without pattern", "evaluator: regex", field="pattern", says="required"),
    evaluator("regex that is none", "evaluator: regex\n    pattern: '(a'", field="pattern", says="regular expression"),
    evaluator("pattern a number", "evaluator: regex\n    pattern: 12", field="pattern", says='"12"'),
    evaluator("numeric of two", "evaluator: numeric\n    tolerance: 1\n    relative: 0.1", says="Keep"),
    evaluator("tolerance negative", "evaluator: numeric\n    tolerance: -1", field="tolerance"),
    evaluator("label without labels", "evaluator: label", field="labels", says="required"),
    evaluator("label of none", "evaluator: label\n    labels: []", field="labels", says="empty"),
    evaluator("label twice", "evaluator: label\n    labels: [a, b, 'a ']", field="labels.2", says="twice"),
    evaluator("label a number", "evaluator: label\n    labels: [1, 2]", field="labels.0", says="text"),
    evaluator("length without bounds", "evaluator: length", field="max_chars", says="no bound"),
    evaluator("length upside down", "evaluator: length\n    max_chars: 3\n    min_chars: 9", field="min_chars"),
    evaluator("length a fraction", "evaluator: length\n    max_chars: 3.5", field="max_chars", says="whole"),
    evaluator("similarity without a model", "evaluator: similarity", field="model", says="required"),
    evaluator(
        "similarity without a price", "evaluator: similarity\n    model: openai/embed", field="model", says="prices"
    ),
    evaluator(
        "similarity by a chat model",
        "evaluator: similarity\n    model: openai/gpt-4o-mini",
        field="model",
        says="makes no embeddings: LiteLLM lists it for chat",
    ),
    evaluator(
        "similarity by no local model",
        "evaluator: similarity\n    model: local/smollm",
        field="model",
        says="'local/smollm2-135m'",
    ),
    evaluator("similarity nowhere", f"{SIMILARITY}\n    api_base: bench", field="api_base", says="address of a server"),
    evaluator("similarity of no size", f"{SIMILARITY}\n    params: {{dimensions: 0}}", field="params.dimensions"),
    evaluator(
        "similarity in another form",
        f"{SIMILARITY}\n    params: {{encoding_format: float}}",
        field="params.encoding_format",
        says="Leave it out",
    ),
    evaluator(
        "similarity where a variant is not",
        "evaluator: similarity\n    model: openai/big\n    api_base: http://a/v1\n    endpoint: bench",
        field="judges",
        says="two addresses",
    ),
    evaluator("python without a name", "evaluator: python\n    function: evaluators/own.py", field="function"),
    evaluator("python missing", "evaluator: python\n    function: own.py:grade", field="function", says="no file"),
    evaluator("schema missing", "evaluator: json_schema\n    schema: none.json", field="schema", says="no file"),
    code("code that is none", "def grade(case, answer:\n", line=1, says="not valid Python"),
    code("code without the function", "def grad(case, answer):\n    return 1\n", line=1, says="'grad'"),
    code("code of one argument", "\ndef grade(answer):\n    return 1\n", line=2, says="a case and an answer"),
    code("code of three arguments", "def grade(a, b, c):\n    return 1\n", line=1, says="a case and an answer"),
    code("code of a keyword", "def grade(a, b, *, c):\n    return 1\n", line=1, says="a case and an answer"),
    code("code that waits", "async def grade(a, b):\n    return 1\n", line=1, says="asynchronous"),
    schema("schema no JSON", "{", says="not valid JSON"),
    schema("schema of a wrong type", '{"type": "objekt"}', says="not a JSON Schema"),
    schema("schema with a key twice", '{"type": "object", "type": "array"}', says="twice"),
    Bad(
        name="judge prompt of unknown name",
        edits={"judge_prompt": ("{{ answer }}", "{{ anwser }}"), "rubric": JUDGE},
        file="judge_prompt",
        line=4,
        says="'answer'",
    ),
]

SLOS: list[Bad] = [
    slo("empty", "", says="empty"),
    slo("no objective", "owner: a\nreview_by: 2099-01-01\n", says="no objective"),
    slo("no owner", ("owner: payments\n", ""), field="owner", says="required"),
    slo("no review_by", ("review_by: 2099-12-31\n", ""), field="review_by", says="required"),
    slo("review_by no date", ("2099-12-31", "next year"), line=3, field="review_by", says="YYYY-MM-DD"),
    slo("review_by no day", ("2099-12-31", "2099-02-31"), line=3, field="review_by", says="no date"),
    slo("unknown key", ("errors:\n", "erors:\n"), line=22, field="erors", says="'errors'"),
    slo("unknown dimension", ("dimension: resolution", "dimension: resolutoin"), line=16, says="'resolution'"),
    slo("min in percent", ("min: 0.5", "min: 95"), line=17, field="precision.0.min", says="at most 1"),
    slo("min missing", ("    min: 0.5\n", ""), line=16, field="precision.0.min", says="required"),
    slo("unknown key of an objective", ("min: 0.5", "mim: 0.5"), line=17, field="precision.0.mim", says="'min'"),
    slo("where of no tag", ("kind: policy", "kindd: policy"), line=21, field="precision.1.where.kindd", says="'kind'"),
    slo("where of no value", ("kind: policy", "kind: [policy, xyz]"), line=21, says="no case has kind 'xyz'"),
    slo("where empty", ("kind: policy", "kind: []"), line=21, field="precision.1.where.kind"),
    slo("precision a mapping", "owner: a\nreview_by: 2099-01-01\nprecision: {dimension: resolution, min: 1}\n", line=3),
    slo(
        "objective twice",
        (
            "  - dimension: mentions\n    min: 0.4\n    where:\n      kind: policy\n",
            "  - dimension: resolution\n    min: 0.4\n",
        ),
        line=18,
        says="already",
    ),
    slo("cost per year", ("per: session", "per: year"), line=12, field="cost.0.per", says="month"),
    slo("max_usd negative", ("max_usd: 0.04", "max_usd: -1"), line=13, field="cost.0.max_usd"),
    slo("max_usd a text", ("max_usd: 0.04", "max_usd: $4"), line=13, field="cost.0.max_usd"),
    slo("tolerance zero", ("tolerance_usd: 0.02", "tolerance_usd: 0"), line=14, says="above 0"),
    slo("max_rate in percent", ("max_rate: 0.01", "max_rate: 5"), line=23, field="errors.max_rate"),
    slo("guard negative", ("max_rate: 0.01", "max_rate: 0.01\n  guard: -0.1"), line=24, field="errors.guard"),
    slo("confidence in percent", ("max_rate: 0.01", "max_rate: 0.01\n  confidence: 95"), line=24, says="below 1"),
    slo("confidence of a half", ("owner: payments", "owner: payments\nconfidence: 0.5"), line=3, says="above 0.5"),
    slo("decide otherwise", ("max_rate: 0.01", "max_rate: 0.01\n  decide: mean"), line=24, says="point"),
    slo("expected out of range", ("min: 0.5", "min: 0.5\n    expected: 2"), line=18, field="expected"),
    slo(
        "guard in percent",
        ("max_rate: 0.01", "max_rate: 0.01\n  guard: 2"),
        line=24,
        field="errors.guard",
        says="at most 1",
    ),
    slo("guards in percent", ("owner: payments", "owner: payments\nguard: {precision: 3}"), field="guard.precision"),
    slo("margin in percent", ("owner: payments", "owner: payments\nregression: {margin: {errors: 2}}"), field="errors"),
    slo("unknown guard", ("owner: payments", "owner: payments\nguard: {speed: 1}"), line=3, field="guard.speed"),
    slo("unknown margin", ("owner: payments", "owner: payments\nregression: {margin: {speed: 1}}"), field="speed"),
    slo("unknown requirement", ("owner: payments", "owner: payments\nregression: {require: all}"), field="require"),
    slo(
        "unknown statistic",
        ("errors:\n", "latency:\n  - {measure: full, statistic: p90, max_ms: 5}\nerrors:\n"),
        says="p95",
    ),
    slo(
        "unknown measure",
        ("errors:\n", "latency:\n  - {measure: total, statistic: p95, max_ms: 5}\nerrors:\n"),
        says="ttft",
    ),
    slo(
        "max_ms zero",
        ("errors:\n", "latency:\n  - {measure: full, statistic: p95, max_ms: 0}\nerrors:\n"),
        says="above 0",
    ),
    slo("mix that is no whole", ("complex: 0.25", "complex: 0.35"), line=8, field="traffic.mix.route", says="sum to 1"),
    slo("mix of no tag", ("    route:\n", "    rout:\n"), line=8, field="traffic.mix.rout", says="'route'"),
    slo("mix of no value", ("simple: 0.75", "smple: 0.75"), field="traffic.mix.route", says="'simple'"),
    slo("mix share negative", ("simple: 0.75", "simple: -0.75"), line=9, field="mix.route.simple"),
    slo("sessions zero", ("sessions_per_day: 1000", "sessions_per_day: 0"), line=5, field="sessions_per_day"),
    slo("weights without a reason", ("  because: a person is waiting\n", ""), field="weights.because", says="required"),
    slo("weights blank reason", ("a person is waiting", "' '"), line=28, field="weights.because", says="blank"),
    slo(
        "weights of nothing",
        ("latency: 0.4\n  cost: 0.2\n  precision: 0.4", "latency: 0\n  cost: 0\n  precision: 0"),
        field="weights",
        says="every weight is 0",
    ),
    slo("weights negative", ("latency: 0.4", "latency: -0.4"), line=25, field="weights.latency"),
    slo("merge of nothing", ("owner: payments", "<<: payments\nowner: payments"), line=2, says="merges no mapping"),
]

CHAT = "  profiles:\n    chat: "
STATED = "sessions_per_day: 9, requests_per_session: 2"


def profile(name: str, inside: str, *, field: str, says: str) -> Bad:
    """A traffic profile in place of the sessions a day."""
    edit = ("  sessions_per_day: 1000\n", CHAT + "{" + inside + "}\n")
    return slo(name, edit, field=f"traffic.profiles.chat.{field}".rstrip("."), says=says)


PROFILES: list[Bad] = [
    slo(
        "profiles beside sessions",
        ("  sessions_per_day: 1000\n", f"  sessions_per_day: 1000\n{CHAT}{{{STATED}}}\n"),
        field="traffic.sessions_per_day",
        says="does not go with profiles",
    ),
    profile("neither sessions nor a trace", "", field="sessions_per_day", says="required"),
    profile("unknown key of a profile", "session_per_day: 9", field="session_per_day", says="'sessions_per_day'"),
    profile("too few hours", f"{STATED}, hours: [1, 2]", field="hours", says="holds 2 entries"),
    profile("too many hours", f"{STATED}, hours: {[1] * 25}", field="hours", says="Give 24"),
    profile("no busy hour", f"{STATED}, hours: {[0] * 24}", field="hours", says="are all 0"),
    profile("a negative hour", f"{STATED}, hours: {[-1, *[0] * 23]}", field="hours.0", says="at least 0"),
    profile("routes that are no whole", f"{STATED}, routes: {{simple: 0.5}}", field="routes", says="sum to 0.5"),
    profile("routes of no case", f"{STATED}, routes: {{refund: 1}}", field="routes", says="no case has route 'refund'"),
    profile("cached beyond all", f"{STATED}, cache_hit_rate: 60", field="cache_hit_rate", says="at most 1"),
    profile("a trace that is not there", "trace: data/no.csv", field="trace", says="no file"),
    profile("a trace from elsewhere", "trace: ../no.csv", field="trace", says="leaves the workspace"),
    profile("a trace and sessions", f"trace: prices.yaml, {STATED}", field="sessions_per_day", says="with a trace"),
    profile("a trace and hours", f"trace: x.csv, hours: {[1] * 24}", field="hours", says="with a trace"),
    profile("a trace and rates", f"trace: x.csv, cache_hit_rate: {[1] * 24}", field="cache_hit_rate", says="by hour"),
]
ALL = [*RUBRICS, *SLOS, *PROFILES]


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: f"{bad.file} {bad.name}")
def test_malformed_rubrics_and_objectives_are_told_of(tmp_path: Path, bad: Bad) -> None:
    faults = faults_of(written(tmp_path, bad.edits))
    assert matching(faults, bad), "\n".join(map(str, faults)) or "no fault"
    assert all(fault.advice.strip() and fault.problem.strip() for fault in faults)


def test_every_fault_of_a_rubric_is_told_at_once(tmp_path: Path) -> None:
    edits: dict[str, Edit] = {
        "rubric": [("weight: 0.5", "wait: 1"), ("evaluator: contains", "evaluator: contian"), ("[strong]", "[weak]")]
    }
    lines = [fault.line for fault in faults_of(written(tmp_path, edits))]
    assert lines == [5, 7, 15]


def test_a_filter_that_no_case_passes_is_a_fault(tmp_path: Path) -> None:
    """Each tag exists, and so does each value, but no case has both."""
    edits: dict[str, Edit] = {
        "rubric": ("      kind: policy\n", "      kind: status\n      session_kind: x\n"),
        "cases": '{"id": "a", "input": "a", "slice": {"kind": "status"}}\n'
        '{"id": "b", "input": "b", "slice": {"kind": "policy", "session_kind": "x"}}\n',
        "human": "",
    }
    found = [f for f in faults_of(written(tmp_path, edits)) if f.file.endswith("rubric.yaml")]
    assert [(f.field, f.problem) for f in found] == [
        ("dimensions.mentions.where", "no case matches kind: status and session_kind: x")
    ]


def test_a_profile_without_requests_a_session_needs_them_somewhere(tmp_path: Path) -> None:
    edits: dict[str, Edit] = {
        "slo": ("  sessions_per_day: 1000\n  requests_per_session: 2\n", f"{CHAT}{{sessions_per_day: 9}}\n")
    }
    assert [f.field for f in faults_of(written(tmp_path, edits))] == ["traffic.profiles.chat.requests_per_session"]


@pytest.mark.parametrize(
    ("trace", "says"),
    [("offset_s\n3\n3\n", "spans no time"), ("when\n1\n", "no column 'offset_s'"), ("offset_s\nx\n", "no time")],
)
def test_a_trace_that_cannot_be_counted_says_why(tmp_path: Path, trace: str, says: str) -> None:
    root = written(tmp_path, {"slo": ("  sessions_per_day: 1000\n", f"{CHAT}{{trace: prompts/trace.csv}}\n")})
    (root / "prompts/trace.csv").write_text(trace)
    assert [says in fault.problem for fault in faults_of(root)] == [True]
