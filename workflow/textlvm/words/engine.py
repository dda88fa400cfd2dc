"""The losses of the words paper, computed by the fused pass of `textlvm.words.fused` or by the modules.

The fused pass is several times faster. It is used for a model only after a self-test: on a few words its
value and gradients must equal those of the modules, which define the model. Otherwise, after a change of a
module without the same change of the C++ code, training and evaluation would use different models.
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
"""The words of the self-test: all letters, and a word of one letter."""

TOLERANCE = 1e-6
"""Relative tolerance of the self-test, far above the rounding errors of float64."""

NOISE = 1e-12
"""Absolute tolerance of gradients, relative to the largest entry of all gradients."""

_TESTED: WeakKeyDictionary[nn.Module, tuple[tuple[torch.dtype, str, str], bool]] = WeakKeyDictionary()
"""The type, device and estimator of each model's last self-test, and its result."""


def bound(model: StateSpaceModel, batch: PackedWords, estimator: str = "full") -> Tensor:
    """A sample of the bound on log P(w), in nats, summed over the words of a batch: a scalar.

    `estimator` says how the inference model's parameters get their gradient: full | path, see
    `textlvm.words.inference_samples`.
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
    """Whether the fused pass supports a model and passes the self-test, which runs once per model."""
    parameter = next(model.parameters())
    kind = (parameter.dtype, parameter.device.type, estimator)
    # Cached, since every training step calls this.
    if model not in _TESTED or _TESTED[model][0] != kind:
        _TESTED[model] = (kind, can_fuse(model) and _passes_self_test(model, estimator))
    return _TESTED[model][1]


def _passes_self_test(model: StateSpaceModel | GRUBaseline, estimator: str) -> bool:
    """Compare value and gradients with those of the modules on a few words, in float64."""
    exact = copy.deepcopy(model).double()
    batch = pack(encode(TEST_WORDS), torch.arange(len(TEST_WORDS)))
    # The self-test must not change the random state.
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

    Compares the values, in nats, and the gradients of all trainable parameters of `model`, each relative to
    its largest entry. Two values that are not finite count as equal.
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
    """Gradients in the order of the parameters; zeros for those that the value does not depend on."""
    return torch.autograd.grad(value, list(parameters.values()), allow_unused=True, materialize_grads=True)
