"""The stages as data: a line of files, each written by one stage."""

from __future__ import annotations

from triaxis.domain.dag import BY_NAME, STAGES, command, dvc_name


def test_every_dependency_is_an_out_of_an_earlier_stage() -> None:
    made: list[str] = []
    for stage in STAGES:
        for dep in stage.deps:
            assert any(dep == out or dep.startswith(f"{out}/") for out in made), f"{stage.name}: {dep}"
        made.extend(stage.outs)


def test_no_two_stages_write_the_same_file() -> None:
    outs = [out for stage in STAGES for out in stage.outs]
    assert len(set(outs)) == len(outs)
    assert not any(a != b and a.startswith(f"{b}/") for a in outs for b in outs)


def test_stages_are_named_by_their_evaluation() -> None:
    generate = BY_NAME["generate"]
    assert dvc_name(generate, "evaluation.yaml") == "generate"
    assert dvc_name(generate, "full.yaml") == "generate-full"
    assert command(generate, "evaluation.yaml") == "triaxis generate"
    assert command(generate, "full.yaml") == "triaxis generate -c full.yaml"


def test_slo_and_prices_touch_no_stage_that_may_call_models() -> None:
    """Editing them costs nothing: the stages that spend do not read them."""
    spending = [stage for stage in STAGES if stage.calls]
    assert [stage.name for stage in spending] == ["generate", "probe", "judge"]
    assert not any("slo" in dep or "prices" in dep for stage in spending for dep in stage.deps)
