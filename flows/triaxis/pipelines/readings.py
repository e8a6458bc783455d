"""Readings that do not depend on each other, so that a fault of one hides none of another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from triaxis.errors import Fault, InputFaults

First = TypeVar("First")
Second = TypeVar("Second")


def both(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """What two readings give.

    Raises:
        InputFaults: with every fault of both.
    """
    try:
        one = first()
    except InputFaults as error:
        raise InputFaults(*error.faults, *_faults_of(second)) from error
    return one, second()


def _faults_of(read: Callable[[], object]) -> tuple[Fault, ...]:
    try:
        read()
    except InputFaults as error:
        return error.faults
    return ()
