"""The engine of the words paper's losses: the compiled pass of `textlvm.words.fused`, or the modules.

The compiled pass is several times as fast. It is used for a model only after a self-test: on a few words it
must give the values and the gradients of the modules, which define the model. Otherwise whoever changes a
module and not the C++ would train another model than is evaluated.
"""

import copy
import logging
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from textlvm.words.baseline import GRUBaseline
from textlvm.words.fused import can_fuse, summed_bounds, summed_log_probs
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letters import PackedWords, encode, pack
from textlvm.words.model import StateSpaceModel
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds

__all__ = ["bound", "difference", "is_fused", "log_likelihood"]

TEST_WORDS = ("sphinx", "of", "black", "quartz", "judge", "my", "vow", "a")
"""The words of the self-test: every letter, and a word of one letter."""

TOLERANCE = 1e-6
"""Relative difference that is attributed to rounding; the rounding errors of float64 are far smaller."""

NOISE = 1e-12
"""Difference of gradients that is rounding whatever their size, relative to the largest of all entries."""

_TESTED: WeakKeyDictionary[nn.Module, tuple[tuple[torch.dtype, str, str], bool]] = WeakKeyDictionary()
"""Of each model the type, device and estimator that it was last tested with, and the result."""


def bound(model: StateSpaceModel, batch: PackedWords, estimator: str = "full") -> Tensor:
    """A sample of the bound on log P(w), in nats, summed over the words of a batch: a scalar.

    `estimator` says how the inference model's parameters get their gradient: full | path, see
    `textlvm.words.proposals`.
    """
    noise = draw_noise(model, batch)
    if is_fused(model, estimator):
        return summed_bounds(model, batch, noise, estimator)
    return step_bounds(model, batch, noise, estimator).sum()


def log_likelihood(model: GRUBaseline | HiddenMarkov, batch: PackedWords) -> Tensor:
    """log P(w) of a model with an exact likelihood, in nats, summed over the words of a batch: a scalar."""
    if isinstance(model, GRUBaseline) and is_fused(model):
        return summed_log_probs(model, batch)
    return model.log_probs(batch).sum()


def is_fused(model: StateSpaceModel | GRUBaseline, estimator: str = "full") -> bool:
    """Whether the compiled pass takes a model and passes the self-test, which is run once a model."""
    parameter = next(model.parameters())
    kind = (parameter.dtype, parameter.device.type, estimator)
    # Every step of a training asks.
    if model not in _TESTED or _TESTED[model][0] != kind:
        _TESTED[model] = (kind, can_fuse(model) and _passes_self_test(model, estimator))
    return _TESTED[model][1]


def _passes_self_test(model: StateSpaceModel | GRUBaseline, estimator: str) -> bool:
    """Compare value and gradients on a few words, in float64, up to rounding."""
    exact = copy.deepcopy(model).double()
    batch = pack(encode(TEST_WORDS), torch.arange(len(TEST_WORDS)))
    # The test must not change what is drawn afterwards.
    with torch.enable_grad(), torch.random.fork_rng([]):
        torch.manual_seed(0)
        if isinstance(exact, GRUBaseline):
            compiled, expected = summed_log_probs(exact, batch), exact.log_probs(batch).sum()
        else:
            noise = draw_noise(exact, batch)
            compiled = summed_bounds(exact, batch, noise, estimator)
            expected = step_bounds(exact, batch, noise, estimator).sum()
    different = difference(exact, compiled, expected)
    if different:
        logging.warning(
            "the fused pass differs from the modules of textlvm.words (%s): using the modules, several times "
            "slower, until textlvm/words/fused is updated",
            different,
        )
    return different is None


def difference(model: nn.Module, value: Tensor, expected: Tensor) -> str | None:
    """Describe how `value` differs from `expected` as a function of the model's parameters; None if equal.

    Compares the values, in nats, and the gradients of all parameters of `model` that are trained, each on the
    scale of its own largest entry. Where neither value is finite there is nothing to compare.
    """
    if not (torch.isfinite(value) or torch.isfinite(expected)):
        return None
    if not torch.isclose(value, expected, rtol=TOLERANCE, atol=0):
        return f"{value.item():.6f} nats instead of {expected.item():.6f}"
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not trained:
        return None
    references = _gradients(expected, trained)
    sizes = [float(reference.abs().max()) for reference in references]
    differences = []
    for name, gradient, reference, size in zip(
        trained, _gradients(value, trained), references, sizes, strict=True
    ):
        error = float((gradient - reference).abs().max())
        allowed = TOLERANCE * size + NOISE * max(sizes)
        # Written so that NaN counts as a difference.
        if not error <= allowed:
            text = f"the gradient of {name} differs by up to {error:.3g}, its largest entry being {size:.3g}"
            differences.append((error / (allowed or 1), text))
    return max(differences)[1] if differences else None


def _gradients(value: Tensor, parameters: dict[str, nn.Parameter]) -> tuple[Tensor, ...]:
    """In the order of the parameters; zeros for what the value does not depend on."""
    return torch.autograd.grad(value, list(parameters.values()), allow_unused=True, materialize_grads=True)
