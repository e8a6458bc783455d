"""Functions of the workspace's own code: looked at, never run."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from triaxis.adapters.workspace.findings import near


@dataclass(frozen=True, slots=True)
class Shape:
    """How a function is called."""

    arguments: tuple[str, ...]
    """As they are written."""
    returns: str
    called_with: str
    """The same in words."""


EVALUATOR = Shape(("case: dict", "answer: str"), "float | bool | None", "a case and an answer")
ROUTER = Shape(("case: dict",), "str | tuple[str, float] | None", "a case")


def function_fault(source: str, function: str, shape: Shape) -> tuple[int, str, str] | None:
    """Line, problem and advice where the source has no such function of that shape; it is not run."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else 0
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        return line or 0, f"is not valid Python: {what}", "Correct the file."
    found = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    node = found.get(function)
    if node is None:
        return 1, f"there is no function {function!r}", near(function, found)
    head = f"Write `def {function}({', '.join(shape.arguments)})"
    if isinstance(node, ast.AsyncFunctionDef):
        return node.lineno, f"{function!r} is asynchronous", f"{head}`."
    if not _can_take(node, len(shape.arguments)):
        problem = f"{function!r} cannot be called with {shape.called_with}"
        return node.lineno, problem, f"{head} -> {shape.returns}`."
    return None


def _can_take(node: ast.FunctionDef, count: int) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args]
    needed = len(arguments) - len(node.args.defaults)
    keywords = [a for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is None]
    return needed <= count and not keywords and (len(arguments) >= count or node.args.vararg is not None)
