"""Products with padded rows compared with products without padding, in float64."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textlvm.sentences.data.batches import pack
from textlvm.sentences.models import products, recurrent, softmax
from textlvm.sentences.models.products import linear, rounded, with_padding
from textlvm.sentences.models.recurrent import GRU
from textlvm.sentences.models.softmax import target_log_probs


@given(st.integers(0, 10**6))
def test_rounded_size_is_the_next_allowed_size(rows):
    size = rounded(rows)
    assert rows <= size < rows + max(8, rows / 8 + 1)
    assert rounded(size) == size
    assert rounded(rows + 1) >= size


@pytest.mark.parametrize("power", range(3, 14))
def test_at_most_eight_sizes_between_powers_of_two(power):
    assert len({rounded(rows) for rows in range(2**power + 1, 2 ** (power + 1) + 1)}) <= 8


def test_padding_appends_zero_rows():
    for x in (torch.randn(9, 3), torch.arange(9), torch.randn(9, 2, 2)):
        padded = with_padding(x)
        assert padded.shape == (16, *x.shape[1:])
        assert padded.dtype == x.dtype
        assert torch.equal(padded[:9], x)
        assert not padded[9:].any()


N = 13
BATCH = pack([[5] * (N - 4), [6], []])
GATES = GRU(6, 8, context=2).double()


def states(x):
    return GATES(x, BATCH.packing, context=torch.ones(3, 2, dtype=x.dtype))


def value_and_gradients(function, parameters):
    torch.manual_seed(0)
    x = torch.randn(N, 6, dtype=torch.float64, requires_grad=True)
    value = function(x)
    yield value
    # From here on, padding is only used in the backward pass.
    yield from torch.autograd.grad((value * torch.randn_like(value)).sum(), [x, *parameters])


def layer():
    torch.manual_seed(1)
    weight, bias = torch.randn(11, 6, dtype=torch.float64), torch.randn(11, dtype=torch.float64)
    return weight.requires_grad_(), bias.requires_grad_()


LAYER = layer()
FUNCTIONS = {
    "linear": (lambda x: linear(x, *LAYER), LAYER),
    "recurrent": (states, tuple(GATES.parameters())),
    **{
        f"softmax by {chunk}": (
            partial(
                target_log_probs, weight=LAYER[0], bias=LAYER[1], targets=torch.arange(N) % 11, chunk=chunk
            ),
            LAYER,
        )
        for chunk in (11 * 5, 10**6)
    },
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_padding_does_not_change_value_or_gradients(name, monkeypatch):
    padded = list(value_and_gradients(*FUNCTIONS[name]))
    monkeypatch.setattr(products, "rounded", lambda rows: rows)
    assert len(with_padding(torch.ones(N))) == N
    for mine, expected in zip(padded, value_and_gradients(*FUNCTIONS[name]), strict=True):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_content_of_padding_does_not_affect_value_or_gradients(name, monkeypatch):
    def garbage(x):
        padded = with_padding(x)
        padded[len(x) :] = 7 if not x.is_floating_point() else 1e3
        return padded

    expected = list(value_and_gradients(*FUNCTIONS[name]))
    with monkeypatch.context() as patch:
        for module in (products, recurrent, softmax):
            patch.setattr(module, "with_padding", garbage)
        found = value_and_gradients(*FUNCTIONS[name])
        torch.testing.assert_close(next(found), expected[0], rtol=0, atol=1e-12)
    for mine, theirs in zip(found, expected[1:], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)
