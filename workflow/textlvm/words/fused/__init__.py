"""The losses of `textlvm.words.objective` and their gradients in one pass over a batch, on a CPU.

The module `marginal` has the sums over trajectories for evaluations.

Each position of a batch takes about forty operations on a few thousand numbers, so PyTorch spends most of its
time on the overhead between operations. The C++ code in this folder processes one block of words at a time,
which stays in the cache. It computes the same functions up to rounding; the Python modules are the reference.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from textlvm.words.baseline import GRUBaseline
from textlvm.words.fused.build import library
from textlvm.words.fused.structures import BaselineProblem, Batch, BoundProblem, Parameter
from textlvm.words.inference import InferenceNetwork
from textlvm.words.letters import PackedWords
from textlvm.words.model import StateSpaceModel
from textlvm.words.noise import Noise
from textlvm.words.transitions import DiagonalTransition, RealNVPTransition, TrilTransition

__all__ = ["can_fuse", "summed_bounds", "summed_log_probs"]

TYPES = {torch.float32: "float32", torch.float64: "float64"}
"""Supported types, and the suffixes of the compiled functions for them."""

DEPTHS = {DiagonalTransition: 2, TrilTransition: 2, RealNVPTransition: 3}
"""Supported classes of F_g, in the order of `BoundProblem.kind`: linear layers in each of their networks."""

Call = Callable[[Sequence[Tensor], Sequence[Tensor] | None], float]
"""Computes a value from parameters and, if gradients are given, adds to them."""


def can_fuse(model: nn.Module) -> bool:
    """Whether these functions support a model: on a CPU, of one type and known parts, with a compiler."""
    kinds = {(parameter.device.type, parameter.dtype) for parameter in model.parameters()}
    return kinds in ({("cpu", dtype)} for dtype in TYPES) and _is_known(model) and library() is not None


def _is_known(model: nn.Module) -> bool:
    """Whether the C++ code supports all parts of a model."""
    if isinstance(model, GRUBaseline):
        return model.gru.num_layers == 1
    if not isinstance(model, StateSpaceModel) or model.resampling:
        return False
    transition = model.generative
    layers = [(model.variational.network, 2)]
    layers += [(network, DEPTHS.get(type(transition))) for network in _networks(transition)]
    return (
        type(transition) in DEPTHS
        and type(model.variational) is DiagonalTransition
        and type(model.inference) is InferenceNetwork
        and all(sum(isinstance(one, nn.Linear) for one in network) == depth for network, depth in layers)
    )


def summed_bounds(
    model: StateSpaceModel, batch: PackedWords, noise: Noise, estimator: str = "full"
) -> Tensor:
    """The sum over words and steps of the bound on log P(w), in nats, as a scalar.

    Its gradient is that of the given `estimator` of `textlvm.words.objective.step_bounds`.
    """
    transition, inference = model.generative, model.inference
    networks = list(_networks(transition))
    layers = [inference.from_letters, inference.from_state]
    if inference.from_proposal is not None:
        layers.append(inference.from_proposal)
    layers += [inference.head, model.emission]
    for network in (model.variational.network, *networks):
        layers += [layer for layer in network if isinstance(layer, nn.Linear)]
    grus = [gru for gru in (inference.forward_gru, inference.backward_gru) if gru is not None]
    parameters: list[Tensor] = [model.initial]
    for gru in grus:
        parameters += _recurrent(inference.embedding, gru)
    masks = transition.masks if isinstance(transition, RealNVPTransition) else ()
    kept = (ctypes.c_int * len(masks))(*masks)
    # Keeps the arrays alive until the call returns.
    drawn = [None if array is None else array.contiguous() for array in noise]
    posterior, proposals, gumbel = (None if array is None else array.data_ptr() for array in drawn)
    settings = {
        "samples": model.samples,
        "kind": list(DEPTHS).index(type(transition)),
        "layers": len(networks),
        "inverse": transition.inverse,
        "reverse": getattr(transition, "order", "keep") == "reverse",
        "proposals": inference.from_proposal is not None,
        "directions": len(grus),
        "path": estimator == "path",
        "delta": model.variational.delta,
        "kept": ctypes.addressof(kept),
        "posterior_noise": posterior,
        "proposal_noise": proposals,
        "gumbel": gumbel,
    }

    def call(values: Sequence[Tensor], gradients: Sequence[Tensor] | None) -> float:
        _require_one_type([*values, *(array for array in drawn if array is not None)])
        return _call(BoundProblem, "bound", len(model.initial), batch, values, gradients, settings)

    return _apply(call, parameters + _affine(layers))


def summed_log_probs(model: GRUBaseline, batch: PackedWords) -> Tensor:
    """The sum over words of log P(w), in nats, as a scalar."""

    def call(values: Sequence[Tensor], gradients: Sequence[Tensor] | None) -> float:
        _require_one_type(values)
        return _call(BaselineProblem, "baseline", model.gru.hidden_size, batch, values, gradients, {})

    return _apply(call, [*_recurrent(model.embedding, model.gru), *_affine([model.output])])


def _recurrent(embedding: nn.Embedding, gru: nn.GRU) -> list[Tensor]:
    """A GRU's parameters; embedding and input weights are combined into a table by letter."""
    weights = dict(gru.named_parameters())
    table = nn.functional.linear(embedding.weight, weights["weight_ih_l0"], weights["bias_ih_l0"])
    return [table, weights["weight_hh_l0"], weights["bias_hh_l0"]]


def _affine(layers: Sequence[nn.Linear]) -> list[Tensor]:
    return [tensor for layer in layers for tensor in (layer.weight, layer.bias) if tensor is not None]


def _networks(transition: nn.Module) -> Iterator[nn.Sequential]:
    """The networks of a transition function, in the order of its layers."""
    return (module for module in transition.modules() if isinstance(module, nn.Sequential))


def _apply(call: Call, parameters: Sequence[Tensor]) -> Tensor:
    if torch.is_grad_enabled():
        return _Fused.apply(call, *parameters)
    return parameters[0].new_tensor(call(parameters, None))


class _Fused(torch.autograd.Function):
    """Computes the gradients along with the value, since both need the same arrays."""

    @staticmethod
    def forward(ctx: Any, call: Call, *parameters: Tensor) -> Tensor:
        ctx.gradients = [
            torch.zeros_like(parameter, memory_format=torch.contiguous_format) for parameter in parameters
        ]
        return parameters[0].new_tensor(call(parameters, ctx.gradients))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        return (None, *torch._foreach_mul(ctx.gradients, factor))


def _require_one_type(tensors: Sequence[Tensor]) -> None:
    """Raise `TypeError` unless all are of one type on the CPU; autocast, for example, changes some."""
    types = {(tensor.device.type, tensor.dtype) for tensor in tensors}
    if len(types) != 1:
        raise TypeError(f"the fused pass takes tensors of one type on the CPU, not {types}")


def _call(
    problem: Callable[..., ctypes.Structure],
    function: str,
    dim: int,
    batch: PackedWords,
    values: Sequence[Tensor],
    gradients: Sequence[Tensor] | None,
    settings: dict[str, Any],
) -> float:
    """Call a function of words.cpp. Raises `MemoryError` if memory runs out."""
    values = [value.contiguous() for value in values]
    pointers = [None] * len(values) if gradients is None else [gradient.data_ptr() for gradient in gradients]
    parameters = (Parameter * len(values))(
        *(
            Parameter(value.data_ptr(), pointer, len(value), value.shape[-1])
            for value, pointer in zip(values, pointers, strict=True)
        )
    )
    sizes, letters = torch.tensor(batch.packing.batch_sizes), batch.letters.contiguous()
    described = problem(
        dim=dim,
        backward=gradients is not None,
        batch=Batch(len(sizes), sizes.data_ptr(), letters.data_ptr()),
        parameters=ctypes.addressof(parameters),
        **settings,
    )
    compiled_library = library()
    assert compiled_library is not None
    compiled = getattr(compiled_library, f"{function}_{TYPES[values[0].dtype]}")
    result = ctypes.c_double()
    if not compiled(ctypes.byref(described), ctypes.byref(result)):
        raise MemoryError("no memory for the arrays of a block of words")
    return result.value
