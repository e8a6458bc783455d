import pytest

from triaxis.rules.evaluators.regexes import repeats_within_repeat


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+", r"(a|aa)*b", r"(?:x*y){2,}", r"((ab)+c)*", r"(a?a)*$", r"(?P<n>\d+)+", r"(\w{1,9})+", r"((a|b))+"],
)
def test_what_can_be_matched_in_many_ways_is_told(pattern: str) -> None:
    assert repeats_within_repeat(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)\bdispute|charge ?back\b",
        r"(refund|return)",
        r"(a+)?b",
        r"(abc)+",
        r"[(a+)]+",
        r"\(a+\)+",
        r"(?:fee|cost) of \d+",
        r"a+b*c{2}",
        r"(?<=x)y+",
        r")+",
        "",
    ],
)
def test_what_cannot_is_let_through(pattern: str) -> None:
    assert not repeats_within_repeat(pattern)
