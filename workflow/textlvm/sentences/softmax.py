"""log softmax of a linear output layer at the target words, without holding all its logits."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from textlvm.training.precision import accumulation_dtype, compute_dtype

__all__ = ["target_log_probs"]

CHUNK = 2**26
"""Logits held at a time: 256 MiB in float32. One chunk is what a batch of the paper's takes up to the size of
Yahoo's vocabulary; beyond, a chunk's logits are dropped and computed again for its gradient."""


def target_log_probs(
    states: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, chunk: int = CHUNK
) -> Tensor:
    """log softmax(W h + b)[target] for states (N, H), W (V, H), b (V,) and targets (N,): (N,) in nats.

    The softmax is taken in float32 (or float64) whatever the type of the product. At most `chunk` logits
    are held at a time, by rows.
    """
    rows = max(1, chunk // len(weight))
    return _TargetLogProbs.apply(states, weight, bias, targets, rows)


class _TargetLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, rows: int) -> Tensor:
        dtype = compute_dtype(states)
        ctx.rows = rows
        h, w, b = states.to(dtype), weight.to(dtype), bias.to(dtype)
        result = torch.empty(len(states), dtype=accumulation_dtype(dtype), device=states.device)
        logits = None
        for part in _parts(len(states), rows):
            logits = torch.addmm(b, h[part], w.T)
            log_probs = torch.log_softmax(logits.to(accumulation_dtype(dtype)), -1)
            result[part] = log_probs.gather(1, targets[part, None]).squeeze(1)
        kept = logits if len(states) <= rows else None
        ctx.save_for_backward(h, w, b, targets, kept)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        h, w, b, targets, kept = ctx.saved_tensors
        wide = accumulation_dtype(h.dtype)
        dh, dw, db = torch.empty(h.shape, dtype=wide, device=h.device), None, None
        for part in _parts(len(h), ctx.rows):
            logits = torch.addmm(b, h[part], w.T) if kept is None else kept
            # The softmax of a type into a wider one is several times slower than conversion and softmax.
            dlogits = torch.softmax(logits.to(wide), -1).mul_(-grad[part, None])
            dlogits.scatter_add_(1, targets[part, None], grad[part, None])
            db = _accumulate(db, dlogits.sum(0))
            dlogits = dlogits.to(h.dtype)
            dh[part] = torch.mm(dlogits, w)
            dw = _accumulate(dw, torch.mm(dlogits.T, h[part]).to(wide))
        return dh, dw, db, None, None


def _accumulate(total: Tensor | None, value: Tensor) -> Tensor:
    return value if total is None else total.add_(value)


def _parts(n: int, rows: int) -> list[slice]:
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]
