"""The structures that words.cpp takes; the fields are in the order of its headers."""

import ctypes
from typing import Any

__all__ = ["BaselineProblem", "Batch", "BoundProblem", "MarginalProblem", "Parameter", "Trie"]

POINTER, INTEGER, LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64


def _fields(kind: Any, *names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names]


class Parameter(ctypes.Structure):
    """A parameter of networks.h."""

    _fields_ = (*_fields(POINTER, "value", "gradient"), *_fields(INTEGER, "rows", "columns"))


class Batch(ctypes.Structure):
    """A batch of blocks.h."""

    _fields_ = (*_fields(INTEGER, "positions"), *_fields(POINTER, "sizes", "letters"))


class BoundProblem(ctypes.Structure):
    """The input of bound.h."""

    _fields_ = (
        *_fields(INTEGER, "dim", "samples", "kind", "layers", "inverse", "reverse", "proposals"),
        *_fields(INTEGER, "directions", "backward", "path"),
        ("delta", ctypes.c_double),
        ("batch", Batch),
        *_fields(POINTER, "kept", "posterior_noise", "proposal_noise", "gumbel", "parameters"),
    )


class BaselineProblem(ctypes.Structure):
    """The input of baseline.h."""

    _fields_ = (*_fields(INTEGER, "dim", "backward"), ("batch", Batch), ("parameters", POINTER))


class Trie(ctypes.Structure):
    """A trie of marginal.h."""

    _fields_ = (("levels", INTEGER), *_fields(POINTER, "sizes", "parents", "symbols", "tables"))


class MarginalProblem(ctypes.Structure):
    """The input of marginal.h."""

    _fields_ = (
        ("alphabet", INTEGER),
        *_fields(LONG, "trajectories", "rows"),
        *_fields(Trie, "left", "right"),
        *_fields(POINTER, "starts", "columns", "sums"),
    )
