from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import write_workspace
from malformed import faults_of, read

from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import Source
from triaxis.domain.router import Cascade
from triaxis.domain.variant import ModelVariant, RoutedVariant

CAP: JsonValue = {"extends": "big", "levers": ["max_tokens"], "params": {"max_tokens": 300}}
TIGHT: JsonValue = {"extends": "big", "levers": ["max_tokens"], "params": {"max_tokens": 9}}
COLD: JsonValue = {"extends": "big", "levers": ["stop"], "params": {"stop": ["END"]}}
ROUTER: JsonValue = {
    "extends": "big",
    "levers": ["tiering"],
    "router": {"by": "field", "field": "route", "arms": {"simple": "small", "complex": "big"}},
}


def root_of(
    root: Path,
    *levers: str,
    fraction: str = "full",
    also: dict[str, JsonValue] | None = None,
    **variants: JsonValue,
) -> Path:
    named: list[JsonValue] = [*levers]
    asked: dict[str, JsonValue] = {"factorial": named, "fraction": fraction}
    known: dict[str, JsonValue] = {"capped": None, "routed": None, **variants, **(also or {})}
    return write_workspace(root, evaluation={"levers": asked, "variants": known})


def of(source: Source, name: str) -> ModelVariant:
    found = source.inputs.variant(name)
    assert isinstance(found, ModelVariant)
    return found


def test_two_levers_are_joined(tmp_path: Path) -> None:
    """The joined variant has both overrides and both names, and extends what both extend."""
    source = read(root_of(tmp_path, "cap", "cold", cap=CAP, cold=COLD))
    assert [v.name for v in source.inputs.variants] == ["big", "cap", "cap+cold", "cold", "small"]
    both = of(source, "cap+cold")
    assert (both.params["max_tokens"], both.params["stop"], both.params["temperature"]) == (300, ["END"], 0)
    assert (both.extends, both.levers, both.factors) == ("big", ("max_tokens", "stop"), ("cap", "cold"))
    assert (of(source, "cap").factors, of(source, "big").factors) == (("cap",), ())


def test_a_router_is_joined_arm_by_arm(tmp_path: Path) -> None:
    """Where the router sends a case to the base, the cap alone answers; where to small, small with the cap does."""
    source = read(root_of(tmp_path, "cap", "tiers", cap=CAP, tiers=ROUTER))
    routed = source.inputs.variant("cap+tiers")
    assert isinstance(routed, RoutedVariant)
    assert routed.router.arms == {"simple": "small+cap", "complex": "cap"}
    assert (routed.levers, routed.extends) == (("max_tokens", "tiering"), "big")
    small = of(source, "small+cap")
    assert (small.model, small.params["max_tokens"], small.extends, small.factors) == ("openai/small", 300, "small", ())


def test_three_levers_with_a_router_whose_arm_is_a_lever(tmp_path: Path) -> None:
    tiers: JsonValue = {
        "extends": "big",
        "levers": ["tiering"],
        "router": {"by": "field", "field": "route", "arms": {"simple": "cold", "complex": "big"}, "default": "small"},
    }
    source = read(root_of(tmp_path, "cap", "cold", "tiers", cap=CAP, cold=COLD, tiers=tiers))
    routed = source.inputs.variant("cap+tiers")
    assert isinstance(routed, RoutedVariant)
    assert routed.router.arms == {"simple": "cap+cold", "complex": "cap"}
    assert routed.router.default == "small+cap"
    assert len([v for v in source.inputs.variants if v.factors]) == 7


def test_half_of_a_design(tmp_path: Path) -> None:
    """I = ABC: each lever alone, and all three."""
    more: JsonValue = {"extends": "big", "levers": [], "params": {"top_p": 0.5}}
    source = read(root_of(tmp_path, "cap", "cold", "more", fraction="half", cap=CAP, cold=COLD, more=more))
    assert sorted(v.name for v in source.inputs.variants if v.factors) == ["cap", "cap+cold+more", "cold", "more"]


def test_a_joined_variant_that_is_given_stands_for_itself(tmp_path: Path) -> None:
    """Levers that set the same value differently can be joined by hand."""
    other: JsonValue = {"extends": "big", "levers": ["stop"], "params": {"max_tokens": 200}}
    mine: JsonValue = {"extends": "cap", "levers": ["stop"], "params": {"max_tokens": 250}}
    source = read(root_of(tmp_path, "cap", "other", cap=CAP, other=other, also={"cap+other": mine}))
    both = of(source, "cap+other")
    assert (both.params["max_tokens"], both.extends, both.factors) == (250, "cap", ("cap", "other"))


def test_a_null_of_a_lever_removes_in_the_joined_one_too(tmp_path: Path) -> None:
    root = root_of(tmp_path, "cap", "bare", cap=CAP)
    path = root / "evaluation.yaml"
    bare = '"variants": {"bare": {"extends": "big", "prompt": null},'
    path.write_text(path.read_text().replace('"variants": {', bare))
    assert of(read(root), "cap+bare").prompt is None


def test_levers_that_agree_are_joined(tmp_path: Path) -> None:
    same: JsonValue = {"extends": "big", "levers": ["stop"], "params": {"max_tokens": 300, "stop": "END"}}
    source = read(root_of(tmp_path, "cap", "same", cap=CAP, same=same))
    assert of(source, "cap+same").params["max_tokens"] == 300


@pytest.mark.parametrize(
    ("levers", "variants", "field", "says"),
    [
        (("cap", "nope"), {"cap": CAP}, "levers.factorial.1", "there is no variant 'nope'"),
        (("cap", "cap"), {"cap": CAP}, "levers.factorial.1", "twice"),
        (("cap", "big"), {"cap": CAP}, "levers.factorial.1", "extends no other"),
        (("cap", "deep"), {"cap": CAP, "deep": {"extends": "cap"}}, "levers.factorial.1", "'deep' extends 'cap'"),
        (("cap",), {"cap": CAP}, "levers.factorial", "names one lever"),
        (("cap", "tight"), {"cap": CAP, "tight": TIGHT}, "levers.factorial", "params.max_tokens differently"),
        (("cap", "none"), {"cap": CAP, "none": {"extends": "big", "params": 4}}, "levers.factorial", "differently"),
        (("one", "two"), {"one": ROUTER, "two": ROUTER}, "levers.factorial", "routers both"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_told(
    tmp_path: Path, levers: tuple[str, ...], variants: dict[str, JsonValue], field: str, says: str
) -> None:
    found = faults_of(root_of(tmp_path, *levers, also=variants))
    (fault,) = [f for f in found if says in f.problem or says in f.advice]
    assert (fault.file, fault.field) == ("evaluation.yaml", field)
    assert fault.line > 0
    assert fault.advice


def test_half_of_two_and_far_too_many_are_refused(tmp_path: Path) -> None:
    (half,) = faults_of(root_of(tmp_path / "a", "cap", "cold", fraction="half", cap=CAP, cold=COLD))
    assert half.field == "levers.fraction"
    alone: JsonValue = {"extends": "big", "levers": []}
    names = [f"v{i}" for i in range(7)]
    (fault,) = faults_of(root_of(tmp_path / "b", *names, also=dict.fromkeys(names, alone)))
    assert ("128 combinations" in fault.problem, "half" in fault.advice) == (True, True)
    names = [f"v{i}" for i in range(8)]
    (fault,) = faults_of(root_of(tmp_path / "c", *names, fraction="half", also=dict.fromkeys(names, alone)))
    assert ("128 combinations" in fault.problem, "half" in fault.advice) == (True, False)


def test_a_fault_of_a_lever_is_told_once(tmp_path: Path) -> None:
    """It stands in the joined variants too, which nobody wrote."""
    wrong: JsonValue = {"extends": "big", "levers": ["stop"], "params": {"stop": 4}}
    found = faults_of(root_of(tmp_path, "cap", "wrong", cap=CAP, wrong=wrong))
    assert {f.field.partition(".params")[0] for f in found} == {"variants.wrong"}


def test_what_only_the_joined_variant_has_wrong_is_told_of_it(tmp_path: Path) -> None:
    """A batch is asked for by one lever and made impossible by the other."""
    batch: JsonValue = {"extends": "big", "transport": "batch"}
    local: JsonValue = {"extends": "big", "levers": ["tiering"], "model": "cohere/command-r", "endpoint": None}
    root = root_of(tmp_path, "batch", "other", batch=batch, other=local)
    assert any(f.field.startswith("variants.batch+other.") for f in faults_of(root))


def test_a_view_over_others_takes_nothing_but_serving_over(tmp_path: Path) -> None:
    cascade: JsonValue = {"arms": ["small", "big"], "escalate": {"when": "check", "dimension": "finished"}}
    source = read(write_workspace(tmp_path, evaluation={"variants": {
        "big": {"serving": {"surface": "chat"}},
        "routed": {"extends": "big", "levers": ["tiering"]},
        "stepped": {"extends": "big", "levers": ["tiering"], "cascade": cascade},
        "swapped": {"extends": "stepped", "cascade": {"arms": ["big", "small"]}},
    }}))  # fmt: skip
    views = [source.inputs.variant(name) for name in ("routed", "stepped", "swapped")]
    assert [(view.extends, view.serving.surface) for view in views] == [("big", "chat")] * 2 + [("stepped", "chat")]
    assert isinstance(views[2], RoutedVariant)
    assert isinstance(views[2].router, Cascade)
    assert (views[2].router.first, views[2].router.escalate.dimension) == ("big", "finished")
