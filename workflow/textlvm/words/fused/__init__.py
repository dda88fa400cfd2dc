"""The sum of `textlvm.words.objective.step_bounds` and its gradient in one pass over the batch, on a CPU.

A step of the model is some forty operations on a few hundred numbers, so that PyTorch spends most of its time
between them. The C++ beside this file takes a block of words through all of it while the block is in the
cache. It is the same function of the same noise up to rounding; the Python modules are the reference.
"""

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from textlvm.words.fused.build import library
from textlvm.words.letters import PackedWords
from textlvm.words.model import StateSpaceModel
from textlvm.words.noise import Noise
from textlvm.words.transitions import DiagonalTransition, RealNVPTransition, TrilTransition

__all__ = ["can_bound", "summed_bounds"]

TYPES = {torch.float32: ctypes.c_float, torch.float64: ctypes.c_double}


def can_bound(model: StateSpaceModel) -> bool:
    """Whether `summed_bounds` works for a model: it is on a CPU, and there is a compiler."""
    return model.emission.weight.device.type == "cpu" and library() is not None


def summed_bounds(model: StateSpaceModel, batch: PackedWords, noise: Noise) -> Tensor:
    """The sum over words and steps of the bound on log P(w), in nats, as a scalar."""
    tensors = _parameters(model)
    if torch.is_grad_enabled():
        return _Bound.apply(model, batch, noise, *tensors)
    return tensors[0].new_tensor(_call(model, batch, noise, tensors, None))


class _Bound(torch.autograd.Function):
    """Computes the gradient along with the value, as both want the same arrays."""

    @staticmethod
    def forward(
        ctx: Any, model: StateSpaceModel, batch: PackedWords, noise: Noise, *tensors: Tensor
    ) -> Tensor:
        values = [tensor.contiguous() for tensor in tensors]
        ctx.gradients = [torch.zeros_like(value) for value in values]
        return values[0].new_tensor(_call(model, batch, noise, values, ctx.gradients))

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, None, *torch._foreach_mul(ctx.gradients, factor))


def _parameters(model: StateSpaceModel) -> list[Tensor]:
    """All parameters in the order in which `Bound` in bound.cpp takes them."""
    inference = model.inference
    found = [model.initial]
    for gru in filter(None, (inference.forward_gru, inference.backward_gru)):
        table = nn.functional.linear(inference.embedding.weight, gru.weight_ih_l0, gru.bias_ih_l0)
        found += [table, gru.weight_hh_l0, gru.bias_hh_l0]
    layers = [inference.from_letters, inference.from_state]
    if inference.from_proposal is not None:
        layers.append(inference.from_proposal)
    layers += [inference.head, model.emission]
    for network in (model.variational.network, *_networks(model.generative)):
        layers += [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer in layers:
        found += [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
    return found


def _networks(transition: nn.Module) -> Iterator[nn.Module]:
    if isinstance(transition, DiagonalTransition):
        yield transition.network
    else:
        yield from transition.networks


def _call(
    model: StateSpaceModel,
    batch: PackedWords,
    noise: Noise,
    values: list[Tensor],
    gradients: list[Tensor] | None,
) -> float:
    dtype = model.emission.weight.dtype
    transition = model.generative
    masks = transition.masks if isinstance(transition, RealNVPTransition) else ()
    kind = next(
        i
        for i, t in enumerate((DiagonalTransition, TrilTransition, RealNVPTransition))
        if isinstance(transition, t)
    )
    parameter, problem = _structures(TYPES[dtype])
    parameters = [
        parameter(
            value.data_ptr(), None if gradient is None else gradient.data_ptr(), len(value), value.shape[-1]
        )
        for value, gradient in zip(values, gradients or [None] * len(values), strict=True)
    ]
    sizes, letters = torch.tensor(batch.batch_sizes), batch.letters.contiguous()
    kept = (ctypes.c_int * len(masks))(*masks)
    described = problem(
        dim=len(model.initial),
        samples=model.samples,
        positions=len(sizes),
        kind=kind,
        layers=len(list(_networks(transition))),
        inverse=transition.inverse,
        reverse=getattr(transition, "order", "keep") == "reverse",
        proposals=model.inference.from_proposal is not None,
        directions=1 if model.inference.forward_gru is None else 2,
        backward=gradients is not None,
        delta=model.variational.delta,
        kept=ctypes.addressof(kept),
        sizes=sizes.data_ptr(),
        letters=letters.data_ptr(),
        draws=noise.draws.data_ptr(),
        noise=None if noise.moves is None else noise.moves.data_ptr(),
        gumbel=None if noise.gumbel is None else noise.gumbel.data_ptr(),
        parameters=ctypes.cast((parameter * len(parameters))(*parameters), ctypes.c_void_p),
    )
    found = library()
    assert found is not None
    function = getattr(found, f"bound_{str(dtype).removeprefix('torch.')}")
    function.restype = ctypes.c_double
    return function(ctypes.byref(described))


def _structures(real: type) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`Parameter` and `Problem` of the C++."""
    pointer, integer = ctypes.c_void_p, ctypes.c_int

    class Parameter(ctypes.Structure):
        _fields_ = [("value", pointer), ("gradient", pointer), ("rows", integer), ("columns", integer)]

    class Problem(ctypes.Structure):
        _fields_ = [
            *((name, integer) for name in ("dim", "samples", "positions", "kind", "layers")),
            *((name, integer) for name in ("inverse", "reverse", "proposals", "directions", "backward")),
            ("delta", real),
            *(
                (name, pointer)
                for name in ("kept", "sizes", "letters", "draws", "noise", "gumbel", "parameters")
            ),
        ]

    return Parameter, Problem
