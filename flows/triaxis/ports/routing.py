"""Routers that need more than rules: the workspace's own code, and what is learned from the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.canonical import JsonValue
from triaxis.domain.router import RouterFunction


class RouteFunctions(Protocol):
    """Loads and calls a workspace's own routers."""

    def route(self, router: RouterFunction, case: Mapping[str, JsonValue]) -> object:
        """What the function returns; its exceptions are raised as they are."""
        ...


class RouteLearner(Protocol):
    """Learns to tell texts apart by their labels."""

    def learned(
        self, texts: Sequence[str], labels: Sequence[str], others: Sequence[str]
    ) -> Sequence[tuple[str, float]]:
        """The label of each of `others` and how sure it is, from 0 to 1, by a model of `texts` and their labels alone.

        The same texts in the same order give the same labels. There are at least two different labels.
        """
        ...


class VectorLearner(Protocol):
    """Learns to tell vectors apart by their labels."""

    def learned(
        self, vectors: Sequence[NDArray[np.float32]], labels: Sequence[str], others: Sequence[NDArray[np.float32]]
    ) -> Sequence[tuple[str, float]]:
        """As `RouteLearner.learned`, by vectors that are all of one length."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """What routers need that decide before anything is asked, and one that learns from vectors once they are there."""

    functions: RouteFunctions
    learner: RouteLearner
    vectors: VectorLearner
