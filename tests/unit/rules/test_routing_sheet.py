from dataclasses import replace

from build_card import a_difference, a_scorecard, a_variant_card, some_measures
from build_routing import a_bare_routing, a_routing, a_sweep

from triaxis.domain.routing import Routing
from triaxis.domain.scorecard import Compared, Scorecard
from triaxis.quantities import Absent
from triaxis.rules.sheets.routing import RoutingBoard, routing_boards

WORSE = Compared(difference=a_difference(-0.3), verdict="worse", gated=True, margin=0.02)
OPEN = Compared(difference=Absent("only 3 pairs; 10 are needed"), verdict="inconclusive", gated=False, margin=0.02)


def a_card(routing: Routing) -> Scorecard:
    routed = a_variant_card(
        "hold",
        measures=replace(some_measures("routed"), routing=routing),
        compared={
            "cost.per_request": OPEN,
            "precision.format": OPEN,
            "precision.format[route=a]": OPEN,
            "precision.format[route=b]": WORSE,
        },
    )
    return a_scorecard(routed=routed)


def the_board(routing: Routing) -> RoutingBoard:
    (found,) = routing_boards(a_card(routing))
    return found


def test_the_matrix_counts_where_cases_went() -> None:
    board = the_board(a_routing())
    assert board.arms == ("big", "small")
    assert [(row.right, row.cells) for row in board.matrix] == [
        ("big", (("40", 0.5, True), ("40", 0.5, False))),
        ("small", (("0", 0.0, False), ("120", 1.0, True))),
    ]
    (wrong,) = board.misroutes
    assert (wrong.chosen, wrong.right, wrong.cases) == ("small", "big", "40 (20.0%)")
    assert wrong.cells == (
        ("-$0.00900", "-$0.109 to +$0.0910"),
        ("\N{EN DASH}", "no case has both"),
        ("0.000", "-0.100 to +0.100"),
    )


def test_facts_are_said_in_words() -> None:
    assert the_board(a_routing()).facts == (
        "big answers 20.0%; small answers 80.0%; 3 cases without a route of their own; 80.0% of decisions are right; "
        "the calls before the answer cost $0.000100 a request; "
        "what the calls before the answer take is not known: the router was not probed."
    )
    assert the_board(a_bare_routing()).facts == "big answers 100.0%; no case says which route is right."


def test_the_worst_route_comes_first() -> None:
    rows = the_board(a_routing()).routes
    assert [(row.measure, row.difference, row.verdict, row.gated) for row in rows] == [
        ("precision.format[route=b]", "-0.300", "worse", True),
        ("precision.format[route=a]", "\N{EN DASH}", "inconclusive", False),
    ]


def test_the_curve_runs_from_one_arm_to_the_other() -> None:
    """From 0.788 to 0.962, which leaves 8% of the range free at both ends."""
    plot = the_board(a_routing()).plot
    assert plot is not None
    assert (plot.low, plot.high) == ("0.788", "0.962")
    assert plot.path == "M0 93.1 L40 6.9 L100 35.6"
    assert (plot.drawn, plot.at) == ("M0 93.1 L100 35.6", (40.0, 6.9))
    assert plot.text == (
        "40.0% of 200 cases to big: 0.950. APGR 0.900 (0.800 to 1.000), where drawing gives 0.500; of the gap between "
        "small and big, calls to big recover 50% with 12.5% (2.5% to 22.5%), 80% with 20.0% (10.0% to 30.0%)."
    )
    no_gap = replace(a_sweep(), apgr=Absent("the strong arm is no better than the weak one"))
    bare = the_board(a_routing(no_gap)).plot
    assert bare is not None
    assert bare.text.endswith("No share of a gap between small and big: the strong arm is no better than the weak one.")


def test_every_way_has_its_intervals_and_what_the_router_is_better_by() -> None:
    router, drawn = the_board(a_routing()).alternatives
    assert (router.name, router.cases, router.less) == ("router", "200", ())
    assert router.cells == (
        ("0.940", "0.920 to 0.960"),
        ("$0.00280", "$0.00270 to $0.00290"),
        ("400 ms", "390 ms to 410 ms"),
        ("\N{EN DASH}", "no probe was made"),
    )
    assert drawn.cells[2] == ("above 30,000 ms", "the quantile falls on a failed request")
    assert drawn.less == (("\N{EN DASH}", "why"), ("-$0.00900", "-$0.109 to +$0.0910"))


def test_a_card_without_routers_has_no_boards() -> None:
    assert routing_boards(a_scorecard()) == ()
