"""log softmax of a linear output layer at the target words, without storing all logits."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from textlvm.sentences.models.products import with_padding
from textlvm.training.precision import accumulation_dtype, compute_dtype

__all__ = ["target_log_probs"]

CHUNK = 2**26
"""Maximum number of logits stored at a time: 256 MiB in float32. A batch of the paper fits in one chunk for
vocabularies up to that of Yahoo; otherwise the logits are recomputed in the backward pass."""
CHUNK_WITHOUT_GRADIENT = 2**23
"""The same if no gradient is needed."""
BLOCK = 64
"""Number of rows that a CPU processes at a time, so that they stay in its cache. They are overwritten in
place, because allocating memory in every step costs more than the arithmetic."""


def target_log_probs(
    states: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, chunk: int = CHUNK
) -> Tensor:
    """log softmax(W h + b)[target] for states (N, H), W (V, H), b (V,) and targets (N,): (N,) in nats.

    The softmax is computed in float32 (or float64) for any type of the product. At most `chunk` logits are
    stored at a time.
    """
    if not torch.is_grad_enabled():
        chunk = min(chunk, CHUNK_WITHOUT_GRADIENT)
    rows = max(1, chunk // len(weight))
    return _TargetLogProbs.apply(states, weight, bias, targets, rows, torch.is_grad_enabled())


class _TargetLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, rows: int, has_backward: bool
    ) -> Tensor:
        dtype = compute_dtype(states)
        ctx.rows = rows
        n = len(states)
        h, targets = with_padding(states.to(dtype)), with_padding(targets)
        w, b = weight.to(dtype), bias.to(dtype)
        parts = _slices(len(h), rows)
        result = torch.empty(len(h), dtype=accumulation_dtype(dtype), device=h.device)
        keep = has_backward and len(parts) == 1
        logits = None
        for part in parts:
            logits = torch.addmm(b, h[part], w.T)
            _to_residual(logits, targets[part], result[part], overwrite=keep)
        ctx.save_for_backward(h, w, b, targets, logits if keep else None)
        return result[:n].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        h, w, b, targets, kept = ctx.saved_tensors
        n, factors = len(grad), -with_padding(grad)
        dh, dw, db = h.new_empty(h.shape, dtype=grad.dtype), None, torch.zeros_like(b, dtype=grad.dtype)
        for part in _slices(len(h), ctx.rows):
            residual = kept
            if residual is None:
                residual = torch.addmm(b, h[part], w.T)
                _to_residual(residual, targets[part])
            factor = factors[part, None]
            torch.mul(torch.mm(residual, w), factor, out=dh[part])
            dw = _accumulate(dw, torch.mm(residual.T, (h[part] * factor).to(h.dtype)).to(grad.dtype))
            for block in _blocks(residual):
                db.addmv_(residual[block].to(grad.dtype).T, factor[block, 0])
        return dh[:n], dw, db, None, None, None


def _to_residual(
    logits: Tensor, targets: Tensor, log_probs: Tensor | None = None, overwrite: bool = True
) -> None:
    """Overwrite logits (N, V) with softmax minus one-hot, whose rows times -g are the gradient of g log p.

    The log probabilities (N,) of the targets are written into `log_probs`. Without `overwrite`, only these
    are computed, and the content of `logits` is undefined.
    """
    for block in _blocks(logits):
        here = targets[block, None]
        x = logits[block].to(accumulation_dtype(logits.dtype))
        x.sub_(x.amax(1, keepdim=True))
        target = x.gather(1, here)
        total = x.exp_().sum(1, keepdim=True)
        target -= total.log()
        if log_probs is not None:
            log_probs[block] = target.squeeze(1)
        if not overwrite:
            continue
        # expm1(log p) is p - 1 without cancellation for p close to 1.
        x.div_(total).scatter_(1, here, target.expm1())
        if x.dtype != logits.dtype:
            logits[block] = x


def _accumulate(total: Tensor | None, value: Tensor) -> Tensor:
    return value if total is None else total.add_(value)


def _blocks(rows: Tensor) -> list[slice]:
    return _slices(len(rows), BLOCK if rows.device.type == "cpu" else len(rows))


def _slices(n: int, rows: int) -> list[slice]:
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]
