"""Malformed routers and cascades: each is told of by file, line, field and advice."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import PROMPT
from malformed import Bad, Edit, faults_of, matching, read, written

from triaxis.adapters import route_classifier
from triaxis.domain.router import Cascade, Classifier, Keywords, Patterns, Router, RouterFunction
from triaxis.domain.rubric import PythonFunction
from triaxis.domain.variant import RoutedVariant

FIELD = """\
    router:
      by: field
      field: route
      arms:
        simple: small
        complex: big
      oracle: route
"""
ARMS = "arms: {simple: small, complex: big}, oracle: route"
KEYWORD = f"    router: {{by: keyword, rules: [{{any: [word], arm: simple}}], {ARMS}}}\n"
REGEX = f"    router: {{by: regex, rules: [{{pattern: 'word [0-9]', arm: simple}}], {ARMS}}}\n"
PYTHON = f"    router: {{by: python, function: 'routers/r.py:route', {ARMS}}}\n"
CLASSIFIER = f"    router: {{by: classifier, {ARMS}}}\n"
EMBEDDED = (
    f"    router: {{by: classifier, embedding: openai/text-embedding-3-small, api_base: 'http://127.0.0.1:9/v1', "
    f"endpoint: bench, default: big, {ARMS}}}\n"
)
MODEL = (
    f"    router: {{by: model, model: openai/small, api_base: 'http://127.0.0.1:9/v1', endpoint: bench, default: big, "
    f"prompt: prompts/answer.md, params: {{max_tokens: 5}}, {ARMS}}}\n"
)
CASCADE = "    cascade: {arms: [small, big], escalate: {when: check, dimension: finished}}\n"
SOURCE = "def route(case):\n    return 'simple'\n"


def bad(name: str, view: str, old: str, new: str, *, field: str, says: str = "", rubric: Edit = ()) -> Bad:
    """The routed variant as that view, with one text of it changed."""
    assert old in view
    edits: dict[str, Edit] = {"evaluation": (FIELD, view.replace(old, new, 1)), "routers/r.py": SOURCE}
    return Bad(
        name=name, edits={**edits, **({"rubric": rubric} if rubric else {})}, file="evaluation", field=field, says=says
    )


ROUTERS: list[Bad] = [
    bad("no way to decide", KEYWORD, "by: keyword, ", "", field="router.by", says="keyword"),
    bad("a way that there is not", KEYWORD, "keyword", "[x]", field="router.by", says="no router by"),
    bad("no rules", KEYWORD, "[{any: [word], arm: simple}]", "[]", field="router.rules"),
    bad("no words", KEYWORD, "any: [word]", "any: []", field="router.rules.0.any"),
    bad("a rule to no arm", KEYWORD, "arm: simple", "arm: simpel", field="router.rules.0.arm", says="'simple'"),
    bad("a pattern to no arm", REGEX, "arm: simple", "arm: simpel", field="router.rules.0.arm", says="'simple'"),
    bad("a word that not every case has", KEYWORD, "[word]", "[dispute]", field="router.arms", says="given no route"),
    bad("a key of another router", KEYWORD, "by: keyword", "by: keyword, field: route", field="router.field"),
    bad("no expression", REGEX, "word [0-9]", "word [0-9", field="router.rules.0.pattern", says="regular"),
    bad("an expression without end", REGEX, "word [0-9]", "(w+)+x", field="router.rules.0.pattern", says="without end"),
    bad("an expression that finds nothing", REGEX, "word", "wort", field="router.arms", says="given no route"),
    bad("no such file", PYTHON, "r.py", "s.py", field="router.function", says="no file"),
    bad("a function of no file", PYTHON, "r.py:route", "r.py", field="router.function"),
    bad("nothing to learn", CLASSIFIER, "by: classifier", "by: classifier, learns: intent", field="router.learns"),
    bad("one fold", CLASSIFIER, "by: classifier", "by: classifier, folds: 1", field="router.folds"),
    bad("embeddings by rules", KEYWORD, "by: keyword", "by: keyword, embedding: x", field="router.embedding"),
    bad(
        "embeddings by a model", MODEL, "by: model", "by: model, embedding: x", field="router.embedding", says="by: cl"
    ),
    bad("no default for embeddings", EMBEDDED, "default: big, ", "", field="router.default", says="could not embed"),
    bad("embeddings without a price", EMBEDDED, "openai/text-", "openai/my-", field="embedding", says="prices.yaml"),
    bad(
        "embeddings of a chat model",
        EMBEDDED,
        "text-embedding-3-small",
        "gpt-4o-mini",
        field="router.embedding",
        says="makes no embeddings: LiteLLM lists it for chat",
    ),
    bad(
        "embeddings of no local model",
        CLASSIFIER,
        "by: classifier",
        "by: classifier, default: big, embedding: local/smol",
        field="router.embedding",
        says="no local model",
    ),
    bad("an address of no embedding", EMBEDDED, "embedding: openai/text-embedding-3-small, ", "", field="api_base"),
    bad(
        "a probe of embeddings", EMBEDDED, "default: big", "default: big, probe: {rate_per_s: 1}", field="router.probe"
    ),
    bad("texts of one's own", EMBEDDED, "default: big", "default: big, params: {input: x}", field="params.input"),
    bad("embeddings in batches", EMBEDDED, "    router", "    transport: batch\n    router", field="routed.transport"),
    bad("no default for a model", MODEL, "default: big, ", "", field="router.default", says="required"),
    bad("no model", MODEL, "model: openai/small, ", "", field="router.model", says="required"),
    bad("no prompt", MODEL, "prompt: prompts/answer.md, ", "", field="router.prompt", says="required"),
    bad("a model without a price", MODEL, "openai/small", "openai/tiny", field="router.model", says="prices.yaml"),
    bad("another address", MODEL, "9/v1", "8/v1", field="router.api_base", says="another address"),
    bad("a stream", MODEL, "max_tokens: 5", "stream: true", field="router.params.stream"),
    bad("a probe without a rate", MODEL, "default: big", "default: big, probe: {}", field="router.probe.rate_per_s"),
    bad("an oracle of other names", FIELD, "oracle: route", "oracle: kind", field="router.oracle", says="names an arm"),
    bad("batches of no model", CLASSIFIER, "    router", "    transport: batch\n    router", field="routed.transport"),
]

CASCADES: list[Bad] = [
    bad("beside a router", CASCADE, "    cascade", FIELD + "    cascade", field="routed.cascade", says="router"),
    bad(
        "with a model",
        CASCADE,
        "    cascade",
        "    model: openai/big\n    cascade",
        field="routed.model",
        says="cascade",
    ),
    bad("one arm", CASCADE, "[small, big]", "[small]", field="cascade.arms"),
    bad("one arm twice", CASCADE, "[small, big]", "[big, big]", field="cascade.arms", says="twice"),
    bad("an arm that is none", CASCADE, "[small, big]", "[smal, big]", field="cascade.arms.0", says="'small'"),
    bad("an arm that is routed", CASCADE, "[small, big]", "[small, routed]", field="cascade.arms.1", says="routed"),
    bad("no such dimension", CASCADE, "finished", "finishd", field="escalate.dimension", says="'finished'"),
    bad("a confidence without a limit", CASCADE, "check", "confidence", field="escalate.below", says="required"),
    bad("an oracle that is no tag", CASCADE, "arms:", "oracle: best, arms:", field="cascade.oracle"),
    bad("what knows the answer", CASCADE, "finished", "resolution", field="escalate.dimension", says="expected"),
    bad("what is off", CASCADE, "finished", "faithfulness", field="escalate.dimension", says="is off"),
    Bad(
        name="a judge that is told the answer",
        edits={
            "evaluation": (FIELD, CASCADE.replace("finished", "faithfulness")),
            "rubric": ("  strong: {}", "  strong: {model: openai/big}"),
            "judge_prompt": ("Question:", "Expected: {{ expected }}\nQuestion:"),
        },
        file="evaluation",
        field="escalate.dimension",
        says="shown the expected answer",
    ),
]


@pytest.mark.parametrize("case", [*ROUTERS, *CASCADES], ids=lambda case: case.name)
def test_a_fault_is_told_where_it_stands(tmp_path: Path, case: Bad) -> None:
    faults = faults_of(written(tmp_path, case.edits))
    assert matching(faults, case), faults


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def other(case): return 1", "no function 'route'"),
        ("def route(case, answer): return 1", "called with a case"),
        ("def route(): return 1", "called with a case"),
        ("async def route(case): return 1", "asynchronous"),
        ("def route(case: return 1", "not valid Python"),
    ],
)
def test_a_function_is_looked_at_and_never_run(tmp_path: Path, source: str, says: str) -> None:
    edits: dict[str, Edit] = {"evaluation": (FIELD, PYTHON), "routers/r.py": f"{source}\nraise SystemExit\n"}
    (fault,) = faults_of(written(tmp_path, edits))
    assert fault.file == "routers/r.py"
    assert says in fault.problem


def test_without_the_extra_a_classifier_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_classifier, "installed", lambda: False)
    (fault,) = faults_of(written(tmp_path, {"evaluation": (FIELD, CLASSIFIER)}))
    assert "triaxis[classifier]" in fault.advice


def view_of(tmp_path: Path, view: str, **edits: Edit) -> RoutedVariant:
    everything: dict[str, Edit] = {"evaluation": (FIELD, view), "routers/r.py": SOURCE, **edits}
    found = read(written(tmp_path, everything)).inputs.variant("routed")
    assert isinstance(found, RoutedVariant)
    return found


@pytest.mark.parametrize(
    ("view", "rule"), [(KEYWORD, Keywords), (REGEX, Patterns), (PYTHON, RouterFunction), (CLASSIFIER, Classifier)]
)
def test_a_sound_router_is_read(tmp_path: Path, view: str, rule: type) -> None:
    view = view.replace("oracle: route", "oracle: route, default: big")
    found = view_of(tmp_path, view)
    assert isinstance(found.router, Router)
    assert isinstance(found.router.rule, rule)
    assert (found.router.arms, found.router.oracle) == ({"simple": "small", "complex": "big"}, "route")


def test_a_router_that_is_a_model_is_asked_under_the_variants_name(tmp_path: Path) -> None:
    source = read(written(tmp_path, {"evaluation": (FIELD, MODEL)}))
    (caller,) = [v for v in source.inputs.callers if v.name == "routed"]
    assert (caller.model, caller.endpoint, caller.params) == ("openai/small", "bench", {"max_tokens": 5})
    assert caller.prompt is not None
    assert caller.prompt.text == PROMPT
    assert source.operations.variants["routed"].transport == "live"


def test_a_classifier_of_embeddings_is_asked_under_the_variants_name(tmp_path: Path) -> None:
    view = EMBEDDED.replace("default: big", "default: big, learns: kind, params: {dimensions: 64}")
    source = read(written(tmp_path, {"evaluation": (FIELD, view)}))
    (caller,) = [v for v in source.inputs.callers if v.name == "routed"]
    assert (caller.model, caller.endpoint, caller.kind) == ("openai/text-embedding-3-small", "bench", "embedding")
    assert (caller.params, caller.prompt, caller.probe) == ({"dimensions": 64}, None, None)
    routed = source.inputs.variant("routed")
    assert isinstance(routed, RoutedVariant)
    assert isinstance(routed.router, Router)
    assert routed.router.rule == Classifier(learns="kind")
    assert source.operations.variants["routed"].transport == "live"
    price = source.inputs.prices.rows["openai/text-embedding-3-small"]
    assert (str(price.input_cost_per_token), price.output_cost_per_token) == ("2E-8", 0)


def test_a_models_own_price_says_that_it_is_what_its_author_says(tmp_path: Path) -> None:
    """Behind a gateway any name may stand for an embedding model."""
    view = EMBEDDED.replace("text-embedding-3-small", "gpt-4o-mini")
    row = "  openai/gpt-4o-mini: {input_cost_per_token: 1.0e-8, output_cost_per_token: 0}\n"
    edits: dict[str, Edit] = {"evaluation": (FIELD, view), "prices": ("models:\n", f"models:\n{row}")}
    assert read(written(tmp_path, edits)).inputs.variant("routed")


def test_a_routers_prompt_may_not_hold_the_answer(tmp_path: Path) -> None:
    edits: dict[str, Edit] = {
        "evaluation": (FIELD, MODEL.replace("prompts/answer.md", "prompts/route.md")),
        "prompts/route.md": "{{ expected }}",
    }
    (fault,) = faults_of(written(tmp_path, edits))
    assert (fault.file, fault.line) == ("prompts/route.md", 1)


def test_what_decides_an_escalation_is_blind(tmp_path: Path) -> None:
    """The workspace's own function is shown no ground truth where it drives a cascade, and only there."""
    rubric = "schema_version: 1\ndimensions:\n" + "".join(
        f"  {name}: {{evaluator: python, function: 'e.py:score'}}\n" for name in ("sure", "other")
    )
    view = CASCADE.replace("check", "confidence").replace("finished", "sure, below: 0.7")
    edits: dict[str, Edit] = {
        "evaluation": (FIELD, view),
        "rubric": rubric,
        "human": ("resolution", "sure"),
        "rubrics/tiny/e.py": "def score(case, answer):\n    return 1\n",
        "slo": [("dimension: resolution", "dimension: sure"), ("dimension: mentions", "dimension: other")],
    }
    inputs = read(written(tmp_path, edits)).inputs
    routed = inputs.variant("routed")
    assert isinstance(routed, RoutedVariant)
    assert isinstance(routed.router, Cascade)
    assert (routed.router.escalate.below, dict(routed.router.arms)) == (0.7, {"small": "small", "big": "big"})
    blind = {d.name: d.evaluator.blind for d in inputs.rubric.dimensions if isinstance(d.evaluator, PythonFunction)}
    assert blind == {"sure": True, "other": None}


def test_an_oracle_that_names_some_arms_is_noted(tmp_path: Path) -> None:
    source = read(
        written(tmp_path, {"evaluation": (FIELD, FIELD.replace("complex: big\n", "odd: big\n      default: big\n"))})
    )
    assert any("'complex' is no arm" in notice for notice in source.notices)


@pytest.mark.parametrize(("dimension", "told"), [("faithfulness", True), ("finished", False)])
def test_a_cascade_that_waits_for_a_judge_is_told_to_have_no_latency(
    tmp_path: Path, dimension: str, *, told: bool
) -> None:
    """Before anything is spent on its probes."""
    edits: dict[str, Edit] = {
        "evaluation": (FIELD, CASCADE.replace("finished", dimension)),
        "rubric": ("  strong: {}", "  strong: {model: openai/big}"),
    }
    notices = [n for n in read(written(tmp_path, edits)).notices if "no latency" in n]
    where = "evaluation.yaml: variants.routed.cascade.escalate: routed waits for the judge of faithfulness"
    assert [n.startswith(where) for n in notices] == ([True] if told else [])
