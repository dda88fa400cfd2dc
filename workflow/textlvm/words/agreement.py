"""Whether two computations of a scalar are the same function of a model's parameters."""

import torch
from torch import Tensor, nn

__all__ = ["difference"]

TOLERANCE = 1e-6
"""Relative difference that is put down to rounding, far above what rounding makes of float64."""
NOISE = 1e-12
"""Difference of gradients that is rounding whatever their size, relative to the largest of all entries."""


def difference(model: nn.Module, found: Tensor, expected: Tensor) -> str | None:
    """Where `found` is another function than `expected`, in a few words, or None.

    Compares the values, in nats, and the gradients of all parameters of `model` that are trained, each on the
    scale of its own largest entry. Where neither value is finite there is nothing to compare.
    """
    if not (torch.isfinite(found) or torch.isfinite(expected)):
        return None
    if not torch.isclose(found, expected, rtol=TOLERANCE, atol=0):
        return f"{found.item():.6f} nats instead of {expected.item():.6f}"
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not trained:
        return None
    references = _gradients(expected, trained)
    sizes = [float(reference.abs().max()) for reference in references]
    differences = []
    for name, own, reference, size in zip(
        trained, _gradients(found, trained), references, sizes, strict=True
    ):
        error = float((own - reference).abs().max())
        allowed = TOLERANCE * size + NOISE * max(sizes)
        # Written so that no number counts as a difference.
        if not error <= allowed:
            told = f"the gradient of {name} differs by up to {error:.3g}, its largest entry being {size:.3g}"
            differences.append((error / (allowed or 1), told))
    return max(differences)[1] if differences else None


def _gradients(value: Tensor, parameters: dict[str, nn.Parameter]) -> tuple[Tensor, ...]:
    """In the order of the parameters; zeros for what the value does not depend on."""
    return torch.autograd.grad(value, list(parameters.values()), allow_unused=True, materialize_grads=True)
