"""Settings that the tests of the words paper share."""

from textlvm.words.spec import ModelSpec

BASE = ModelSpec(
    family="state-space",
    dim=8,
    transition="tril",
    layers=1,
    masks=(),
    order="keep",
    parametrization="inverse",
    width=16,
    delta=0.1,
    initial_state="learned",
    inference="backward",
    samples=1,
)
