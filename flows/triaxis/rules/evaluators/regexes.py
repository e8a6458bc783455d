"""Whether a regular expression may take time without end on a text that somebody chose."""

from __future__ import annotations

import re

_SIGN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[:=!>]|\(\?<[=!]|\(\?P<\w+>|[*+?]|\{\d*,?\d*\}|[()|]", re.DOTALL
)
"""Signs that matter: escapes and sets are passed over whole."""


def repeats_within_repeat(pattern: str) -> bool:
    r"""Whether a group that holds a repeat or alternatives is itself repeated, as in `(a+)+` or `(a|aa)*`.

    Such an expression can be matched against one text in exponentially many ways. Some that are harmless are refused
    with them; `?` after a group is no repeat.
    """
    open_groups, inside = [False], False
    closed: bool | None = None
    for sign in _SIGN.findall(pattern):
        repeated = sign in ("*", "+") or sign[0] == "{"
        if repeated and closed:
            return True
        closed = None
        if sign[0] == "(":
            open_groups.append(False)
        elif sign == ")":
            inside = open_groups.pop() if len(open_groups) > 1 else False
            open_groups[-1] |= inside
            closed = inside
        elif repeated or sign in ("?", "|"):
            open_groups[-1] = True
    return False
