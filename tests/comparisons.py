"""Comparisons and their numbers, shared by the tests of claims."""

from textlvm.reporting.claims.judge import Number
from textlvm.reporting.claims.language import Comparison, Place, Side
from textlvm.reporting.spread import PooledSpread

A, B, C, D = (Place("words", 1, "bookscorpus", row, "ce_test") for row in "ABCD")
T2 = 4.302652729749462
"""Student's 97.5% quantile with two degrees of freedom."""
Z = 1.959963984540054


def compare(*operands, side=Side.BELOW, signs=(1, -1, -1, 1), **fields):
    terms = tuple(zip(signs, operands, strict=False))
    return Comparison("less", terms, side, "nats/word", **fields)


def seeds(*values, **fields):
    return Number(dict(enumerate(values)), **fields)


def one_seed(value, sd, freedom=2, source="", **fields):
    return Number({0: value}, borrowed=PooledSpread(sd, freedom, source), **fields)
