"""Recurrent layers compared with PyTorch's layers on single sentences, in float64."""

import pytest
import torch

from textlvm.sentences.data.batches import pack
from textlvm.sentences.models.recurrent import CELLS
from textlvm.training.precision import autocast

CONTEXTS = [0, 4]


def inputs(random_sentences, layer, context, dtype=torch.float64):
    batch = pack(random_sentences([5, 0, 3, 7, 3]))
    torch.manual_seed(0)
    x = torch.randn(len(batch.targets), 6, dtype=dtype, requires_grad=True)
    initial = torch.randn(5, layer.state_size, dtype=dtype, requires_grad=True)
    given = torch.randn(5, context, dtype=dtype, requires_grad=True) if context else None
    return batch.packing, x, initial, given


def by_sentence(layer, packing, x, initial, context):
    """Outputs of PyTorch's layer for every sentence separately."""
    outputs = x.new_empty(len(x), layer.layer.hidden_size)
    for i in range(packing.batch):
        rows = (packing.sequence == i).nonzero().squeeze(1)
        joined = x[rows] if context is None else torch.cat([x[rows], context[i].expand(len(rows), -1)], 1)
        state = tuple(s[None] for s in initial[i].chunk(layer.state_size // layer.layer.hidden_size))
        outputs = outputs.index_copy(0, rows, layer.layer(joined, state if len(state) == 2 else state[0])[0])
    return outputs


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("cell", CELLS)
def test_packed_states_and_gradients_agree_with_single_sentences(cell, context, random_sentences):
    layer = CELLS[cell](6, 8, context).double()
    packing, x, initial, given = inputs(random_sentences, layer, context)
    variables = [v for v in (x, initial, given, *layer.parameters()) if v is not None]
    ours = layer(x, packing, initial, given)
    theirs = by_sentence(layer, packing, x, initial, given)
    torch.testing.assert_close(ours, theirs)
    weight = torch.randn_like(theirs)
    for mine, expected in zip(
        torch.autograd.grad((ours * weight).sum(), variables),
        torch.autograd.grad((theirs * weight).sum(), variables),
        strict=True,
    ):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_initial_state_defaults_to_zero(cell, random_sentences):
    layer = CELLS[cell](6, 8).double()
    packing, x, initial, _ = inputs(random_sentences, layer, 0)
    torch.testing.assert_close(layer(x, packing), layer(x, packing, torch.zeros_like(initial)))


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("cell", CELLS)
def test_step_agrees_with_forward(cell, context, random_sentences):
    layer = CELLS[cell](6, 8, context).double()
    packing, x, state, given = inputs(random_sentences, layer, context)
    states = layer(x, packing, state, given)
    for rows in packing.steps():
        size = rows.stop - rows.start
        state = layer.step(x[rows], state[:size], None if given is None else given[:size])
        torch.testing.assert_close(state[:, :8], states[rows])


def test_bfloat16_products_are_close_to_float32(random_sentences):
    layer = CELLS["gru"](6, 8, 4)
    packing, x, initial, given = inputs(random_sentences, layer, 4, torch.float32)
    exact = layer(x, packing, initial, given)
    with autocast(x.device, torch.bfloat16):
        rounded = layer(x, packing, initial, given)
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(exact, rounded, atol=0.03, rtol=0)
