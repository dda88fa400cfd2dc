"""The structures that words.cpp takes, field by field as in its headers."""

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

__all__ = ["REALS", "Structures", "structures"]

REALS = {torch.float32: ctypes.c_float, torch.float64: ctypes.c_double}
"""The types that it is compiled for."""

POINTER, INTEGER = ctypes.c_void_p, ctypes.c_int


def _fields(kind: Any, *names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names]


class Parameter(ctypes.Structure):
    """A parameter of networks.h."""

    _fields_ = (*_fields(POINTER, "value", "gradient"), *_fields(INTEGER, "rows", "columns"))


class Batch(ctypes.Structure):
    """A batch of blocks.h."""

    _fields_ = (*_fields(INTEGER, "positions"), *_fields(POINTER, "sizes", "letters"))


@dataclass(frozen=True)
class Structures:
    """The structures for one type of numbers."""

    parameter: type[Parameter]
    batch: type[Batch]
    problem: dict[str, type[ctypes.Structure]]
    """By function, of bound.h and baseline.h."""


@cache
def structures(real: type) -> Structures:
    """The structures for float or double."""

    class BoundProblem(ctypes.Structure):
        _fields_ = (
            *_fields(INTEGER, "dim", "samples", "kind", "layers", "inverse", "reverse", "proposals"),
            *_fields(INTEGER, "directions", "backward"),
            ("delta", real),
            ("batch", Batch),
            *_fields(POINTER, "kept", "draws", "moves", "gumbel", "parameters"),
        )

    class BaselineProblem(ctypes.Structure):
        _fields_ = (*_fields(INTEGER, "dim", "backward"), ("batch", Batch), ("parameters", POINTER))

    return Structures(Parameter, Batch, {"bound": BoundProblem, "baseline": BaselineProblem})
