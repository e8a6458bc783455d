"""A workspace's own evaluators and routers, run from their stored text, never from a path that data names."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Mapping
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType
from typing import Any

from triaxis.domain.canonical import JsonValue
from triaxis.domain.router import RouterFunction
from triaxis.domain.rubric import PythonFunction


class PythonSources:
    """Loads each source once and calls its functions; what they print goes to stderr.

    A source is a module of its own: it may import what is installed, and cannot import its neighbours, since only its
    own text is hashed and kept as evidence.
    """

    def __init__(self) -> None:
        self._modules: dict[tuple[str, str], ModuleType] = {}

    def call(self, evaluator: PythonFunction, case: Mapping[str, JsonValue], answer: str) -> float | bool | None:
        """What the function returns; its exceptions, and those of loading its source, are raised as they are."""
        with contextlib.redirect_stdout(sys.stderr):
            function: Callable[..., float | bool | None] = self._function(evaluator)
            return function(case, answer)

    def route(self, router: RouterFunction, case: Mapping[str, JsonValue]) -> object:
        """What the router returns; its exceptions, and those of loading its source, are raised as they are."""
        with contextlib.redirect_stdout(sys.stderr):
            return self._function(router)(case)

    def _function(self, written: PythonFunction | RouterFunction) -> Callable[..., Any]:
        name = written.file, written.source
        if name not in self._modules:
            self._modules[name] = _load(written)
        function: Callable[..., Any] = getattr(self._modules[name], written.function)
        return function


class _Text(InspectLoader):
    """Loads a module from text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, fullname: str) -> str:
        """The text, whatever the name."""
        del fullname
        return self._text


def _load(evaluator: PythonFunction | RouterFunction) -> ModuleType:
    name = f"triaxis_evaluator_{hashlib.sha256(evaluator.source.encode()).hexdigest()[:16]}"
    loader = _Text(evaluator.source)
    spec = spec_from_loader(name, loader, origin=evaluator.file)
    if spec is None:
        raise ImportError(f"{evaluator.file} cannot be loaded")
    module = module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for the names of their annotations
    loader.exec_module(module)
    return module
