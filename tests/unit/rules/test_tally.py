import numpy as np
from build_measures import a_model, some_cases

from triaxis.domain.case import Case
from triaxis.domain.router import Router
from triaxis.domain.variant import RoutedVariant
from triaxis.rules.measures.tally import NONE, case_frame, distinct, looked_up, owner_of, per_case, places, spans_of

FOUR = some_cases(4)


def test_cases_stand_in_the_order_of_their_ids() -> None:
    frame = case_frame(tuple(reversed(FOUR)))
    assert frame.ids == ("c000", "c001", "c002", "c003")
    assert frame.tags["kind"].values == ("faq", "policy")
    assert frame.tags["route"].codes.tolist() == [1, 0, 1, 0]  # simple, complex, ...


def test_a_session_is_one_cluster_and_a_case_without_one_its_own() -> None:
    cases = (Case(id="a", input="", session="s"), Case(id="b", input=""), Case(id="c", input="", session="s"))
    frame = case_frame(cases)
    assert frame.clusters.tolist() == [0, 2, 0]
    assert distinct(frame.clusters) == 2
    assert frame.sessionless == 1
    assert frame.unit == "cases"
    assert case_frame(some_cases(4, sessions=2)).unit == "sessions"
    assert case_frame(FOUR).unit == "cases"


def test_alternatives_of_a_tag_or_and_tags_and() -> None:
    frame = case_frame(FOUR)
    assert frame.within({}).all()
    assert frame.within({"kind": ("faq",)}).tolist() == [True, False, True, False]
    assert frame.within({"kind": ("faq", "policy")}).all()
    assert not frame.within({"kind": ("faq",), "route": ("complex",)}).any()
    assert not frame.within({"kind": ("nothing",)}).any()
    assert not frame.within({"colour": ("red",)}).any()


def test_a_case_without_the_tag_is_in_no_slice_of_it() -> None:
    frame = case_frame((Case(id="a", input="", slice={"kind": "faq"}), Case(id="b", input="")))
    assert frame.within({"kind": ("faq",)}).tolist() == [True, False]


def test_names_become_places() -> None:
    table = places(("small", "gone"), ("big", "small"))
    assert table.tolist() == [1, NONE]
    assert looked_up(np.array([0, 1, -1]), table).tolist() == [1, NONE, NONE]
    assert places(("b", "c"), ("a", "b", "c", "d")).tolist() == [1, 2]
    assert places(("a", "c", "e"), ("a", "b", "c", "d")).tolist() == [0, 2, NONE]
    assert places((), ("a",)).tolist() == []


def test_a_model_variant_owns_its_rows_in_the_order_of_cases() -> None:
    owner = owner_of(a_model("small"), ("big", "small"), case_frame(FOUR))
    spans = spans_of(np.array([NONE, 0, 1, 1, 1]), 2)
    assert spans.tolist() == [1, 2, 5]
    assert np.arange(5)[owner.rows(spans, np.array([2, 0, 3, 1, NONE]))].tolist() == [3, 2]


def test_rows_that_stand_together_are_not_copied() -> None:
    owner = owner_of(a_model("small"), ("big", "small"), case_frame(FOUR))
    assert owner.rows(spans_of(np.array([0, 1, 1]), 2), np.array([3, 1, 1])) == slice(1, 3)
    assert owner.rows(spans_of(np.array([0]), 2), np.array([3])) == slice(1, 1)


def test_a_routed_variant_owns_its_arms_rows_case_by_case() -> None:
    """Even cases are simple and go to small, odd ones to big."""
    router = Router(by="field", field="route", arms={"simple": "small", "complex": "big"})
    owner = owner_of(RoutedVariant(name="routed", router=router), ("big", "routed", "small"), case_frame(FOUR))
    spans, cases = spans_of(np.array([0, 0, 0, 0, 2, 2, 2, 2]), 3), np.array([0, 1, 2, 3, 0, 1, 2, 3])
    # Rows 4 and 6 are small's of cases 0 and 2, rows 1 and 3 big's of cases 1 and 3.
    assert np.arange(8)[owner.rows(spans, cases)].tolist() == [4, 1, 6, 3]


def test_a_case_that_no_arm_answers_owns_nothing() -> None:
    router = Router(by="field", field="route", arms={"simple": "small", "complex": "gone"})
    frame = case_frame((*FOUR, Case(id="z", input="")))
    owner = owner_of(RoutedVariant(name="routed", router=router), ("small",), frame)
    assert owner.arms.tolist() == [0, NONE, 0, NONE, NONE]
    assert np.arange(3)[owner.rows(spans_of(np.array([NONE, 0, 0]), 1), np.array([0, 0, 1]))].tolist() == [1]


def test_a_dataset_without_a_tag_routes_nowhere() -> None:
    router = Router(by="field", field="team", arms={"a": "small"}, default="small")
    owner = owner_of(RoutedVariant(name="routed", router=router), ("small",), case_frame(FOUR))
    assert owner.arms.tolist() == [0, 0, 0, 0]


def test_repeats_are_averaged_by_case() -> None:
    means = per_case(np.array([0, 0, 2]), np.array([1.0, 0.0, 1.0]), 3)
    assert means[[0, 2]].tolist() == [0.5, 1.0]
    assert np.isnan(means[1])
