r"""Recurrent layers over packed rows.

The GRU has PyTorch's parameters and equations,

.. math:: r &= \sigma(W_r x + b_r + U_r h + c_r), \quad u = \sigma(W_u x + b_u + U_u h + c_u), \\
          n &= \tanh(W_n x + b_n + r \odot (U_n h + c_n)), \quad h' = n + u \odot (h - n).

On a GPU it uses cuDNN. On a CPU it has a custom backward pass, which computes the gradient of U as one
product over all rows; automatic differentiation would add up one product per step.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from textlvm.packing import Packing
from textlvm.sentences.models.products import linear, with_padding
from textlvm.training.precision import accumulation_dtype, compute_dtype

__all__ = ["CELLS", "GRU", "LSTM"]


class GRU(nn.Module):
    """One GRU layer; a context vector per sentence can be appended to the input of every step."""

    def __init__(self, inputs: int, hidden: int, context: int = 0) -> None:
        super().__init__()
        self.inputs = inputs
        self.state_size = hidden
        self.layer = nn.GRU(inputs + context, hidden)

    def forward(
        self, x: Tensor, packing: Packing, initial: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """States (N, H) for packed inputs (N, inputs), contexts (B, context) and h_0 (B, H), by default 0."""
        if x.device.type == "cuda":
            return _run_layer(self.layer, x, packing, None if initial is None else initial[None], context)
        w_ih, w_hh, b_ih, b_hh = self.layer.all_weights[0]
        if initial is None:
            initial = w_hh.new_zeros(packing.batch, self.state_size)
        gates = linear(x, w_ih[:, : self.inputs], b_ih)
        if context is not None:
            # The product with the context is computed once per sentence, not once per word.
            gates = gates + packing.spread(linear(context, w_ih[:, self.inputs :]))
        return _GRUFunction.apply(gates.to(w_hh.dtype), initial.to(w_hh.dtype), w_hh, b_hh, packing)

    def step(self, x: Tensor, state: Tensor, context: Tensor | None = None) -> Tensor:
        """The next state (B, H) for one input (B, inputs) and contexts (B, context)."""
        next_state = torch.gru_cell(_concatenate(x, context), state, *self.layer.all_weights[0])
        return next_state.to(accumulation_dtype(next_state.dtype))


class LSTM(nn.Module):
    """One LSTM layer, like `GRU`; a state (B, 2 H) is the concatenation of hidden and cell state."""

    def __init__(self, inputs: int, hidden: int, context: int = 0) -> None:
        super().__init__()
        self.state_size = 2 * hidden
        self.layer = nn.LSTM(inputs + context, hidden)

    def forward(
        self, x: Tensor, packing: Packing, initial: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """Outputs (N, H), like `GRU.forward`; `initial` is (B, 2 H)."""
        state = None if initial is None else tuple(s[None].contiguous() for s in initial.chunk(2, -1))
        return _run_layer(self.layer, x, packing, state, context)

    def step(self, x: Tensor, state: Tensor, context: Tensor | None = None) -> Tensor:
        """The next state (B, 2 H) for one input (B, inputs) and contexts (B, context)."""
        joined, weights = _concatenate(x, context), self.layer.all_weights[0]
        next_state = torch.cat(torch.lstm_cell(joined, state.chunk(2, -1), *weights), -1)
        return next_state.to(accumulation_dtype(next_state.dtype))


CELLS = {"gru": GRU, "lstm": LSTM}


class _GRUFunction(torch.autograd.Function):
    """The GRU, given the contribution of the inputs to the gates, (N, 3 H) in PyTorch's order r, u, n."""

    @staticmethod
    def forward(
        ctx: Any, gates: Tensor, initial: Tensor, weight: Tensor, bias: Tensor, packing: Packing
    ) -> Tensor:
        hidden = initial.shape[1]
        ctx.packing, ctx.dtype = packing, compute_dtype(gates)
        weight = weight.to(ctx.dtype)
        states, previous, from_previous = (gates.new_empty(len(gates), hidden) for _ in range(3))
        gates = gates.clone()
        h = initial
        for rows in packing.steps():
            h = h[: rows.stop - rows.start]
            previous[rows] = h
            recurrent = torch.mm(h.to(ctx.dtype), weight.T).to(gates.dtype) + bias
            ru = gates[rows, : 2 * hidden].add_(recurrent[:, : 2 * hidden]).sigmoid_()
            r, u = ru.chunk(2, -1)
            from_previous[rows] = recurrent[:, 2 * hidden :]
            n = gates[rows, 2 * hidden :].addcmul_(r, recurrent[:, 2 * hidden :]).tanh_()
            h = torch.lerp(n, h, u, out=states[rows])
        ctx.save_for_backward(gates, previous, from_previous, weight)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        activations, previous, from_previous, weight = ctx.saved_tensors
        r, u, n = activations.chunk(3, -1)
        # Derivatives of h' with respect to the gates' arguments; the last block is for U_n h + c_n.
        to_n = (1 - u) * (1 - n * n)
        to_u = (previous - n) * u * (1 - u)
        to_r = to_n * from_previous * r * (1 - r)
        factors = torch.stack([to_r, to_u, to_n * r], 1)
        grad = grad.clone()
        dh = grad.new_zeros(ctx.packing.batch, grad.shape[1])
        for rows in reversed(ctx.packing.steps()):
            here = grad[rows].add_(dh[: rows.stop - rows.start])
            into_gates = factors[rows].mul_(here[:, None]).flatten(1)
            dh[: rows.stop - rows.start] = here * u[rows] + torch.mm(into_gates.to(ctx.dtype), weight)
        dgates = factors.flatten(1)
        rounded_dgates, rounded_previous = (with_padding(x.to(ctx.dtype)) for x in (dgates, previous))
        dweight = torch.mm(rounded_dgates.T, rounded_previous).to(grad.dtype)
        dbias = dgates.sum(0)
        dinput = torch.cat([dgates[:, : 2 * grad.shape[1]], grad * to_n], 1)
        return dinput, dh, dweight, dbias, None


def _run_layer(layer: nn.RNNBase, x: Tensor, packing: Packing, state: Any, context: Tensor | None) -> Tensor:
    joined = _concatenate(x, None if context is None else packing.spread(context))
    outputs = layer(PackedSequence(joined, torch.tensor(packing.batch_sizes)), state)[0].data
    return outputs.to(accumulation_dtype(outputs.dtype))


def _concatenate(x: Tensor, context: Tensor | None) -> Tensor:
    return x if context is None else torch.cat([x, context.to(x.dtype)], -1)
