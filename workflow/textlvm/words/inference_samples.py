r"""Draws of the inference model for the steps of a bound, and the estimators of its parameters' gradient.

Write :math:`Q(h_t; \psi)` for the density of the inference model's draws, the distribution that F_q makes of
q, with :math:`\psi = \psi_\phi(h_{t-1}, w, h'_k)` computed by its networks from the previous state, the
letters and, in Algorithm 1, a proposal :math:`h'_k` of F_g; draws are reparametrised,
:math:`h_k = h(\epsilon_k, \psi_k)`. One step's term :math:`L = \log \frac1K \sum_k \omega^k` has the
derivative

.. math:: \frac{dL}{d\psi_k} = \tilde\omega_k \left(\frac{\partial \log \omega^k}{\partial h_k}
          \frac{\partial h_k}{\partial \psi_k} - \frac{\partial \log Q(h_k; \psi_k)}{\partial \psi_k}\right),
          \quad \tilde\omega_k = \omega^k / \sum_j \omega^j,

where the first derivative of :math:`\log \omega^k` holds :math:`\psi_k` fixed inside of Q. The estimator

- ``full`` is this derivative, the gradient of the value by automatic differentiation;
- ``path`` replaces it by :math:`\tilde\omega_k^2 \frac{\partial \log \omega^k}{\partial h_k} \frac{\partial
  h_k}{\partial \psi_k}` on the way from :math:`\psi_k` to :math:`\phi`, the inference model's parameters.

Both have the same expectation, for every K and every parameter. Given all previous draws,
:math:`\epsilon_k` is independent of the other samples of the step, so for any f
:math:`E[f(h_k) \partial_\psi \log Q] = E[f'(h_k) \partial_\psi h_k]`. The score's factor is
:math:`f = \tilde\omega_k`, whose derivative is :math:`\tilde\omega_k (1 - \tilde\omega_k) \partial_h \log
\omega^k` (Tucker et al. 2019); for K = 1 it is constant and the expectation zero (Roeder et al. 2017).

The gradient from later steps reaches :math:`\psi` only through :math:`h_k` of the sample that is carried on,
or of each sample if all are resampled and carried on. It has no score term to replace and no weight, so it is
the same in both estimators. So is the gradient of the states and of the proposals, which includes Q's
dependence on them: without it, the two parts of a step's gradient with respect to :math:`h_{t-1}`, from p and
from Q, would not cancel for an exact inference model. Therefore the parameters of the generative model have
the same gradient in both.

As in the paper, neither has a score term for the choice of the sample that is carried on. With K > 1 both
estimate the same gradient, which is not exactly that of the bound's expectation.

References: Roeder, Wu & Duvenaud (2017), https://arxiv.org/abs/1703.09194;
Tucker, Lawson, Gu & Maddison (2019), https://arxiv.org/abs/1810.04152.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.distributions import Transform

from textlvm.distributions import DiagonalNormal
from textlvm.words.flows import call_and_ladj
from textlvm.words.model import StateSpaceModel

__all__ = ["InferenceSamples", "Sampler", "sampler"]


@dataclass(frozen=True)
class InferenceSamples:
    """K draws of the inference model for each of n states."""

    h: Tensor
    """(n, K, d) f_q(xi), for the next step."""
    h_for_weights: Tensor
    """(n, K, d) equal to `h`, for the weights; its gradient depends on the estimator."""
    log_q: Tensor
    """(n, K) log q(xi | ...) of `h_for_weights`."""
    log_det_q: Tensor
    """(n, K) log |det J_{f_q}| of `h_for_weights`."""
    scaled: Tensor | None = None
    """(n, K, d) the part of `h_for_weights` whose gradient is multiplied by the normalised weights."""

    @property
    def for_weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """What the weights depend on: `h_for_weights`, `log_q` and `log_det_q`."""
        return self.h_for_weights, self.log_q, self.log_det_q

    def scale_gradient(self, log_weights: Tensor) -> None:
        """Scale the gradient through `scaled` by the normalised weights, given log omega^k (n, K)."""
        if self.scaled is not None and self.scaled.requires_grad:
            normalised = log_weights.detach().softmax(-1).view(*self.scaled.shape[:-1], 1)
            self.scaled.register_hook(lambda gradient: normalised * gradient)


Sampler = Callable[[Tensor, Tensor, Tensor, Tensor | None], InferenceSamples]
"""Takes states (n, d), contexts (n, width), noise (n, K, d) and proposals of F_g (n, K, d) or None."""


def sampler(model: StateSpaceModel, estimator: str) -> Sampler:
    """Build the sampler of the inference model; `estimator`, full | path, does not change the values."""
    return _Full(model) if estimator == "full" else _Path(model)


@dataclass(frozen=True)
class _Full:
    model: StateSpaceModel

    def __call__(
        self, state: Tensor, context: Tensor, noise: Tensor, proposal: Tensor | None
    ) -> InferenceSamples:
        xi, log_q = self.model.inference(state, context, proposal).rsample_with_log_prob(noise)
        h, log_det_q = call_and_ladj(self.model.variational(state), xi)
        return InferenceSamples(h, h, log_q, log_det_q)


class _Path:
    def __init__(self, model: StateSpaceModel) -> None:
        self.samples = model.samples
        self.trained = _Posterior(model.inference, model.variational)
        self.frozen = _Posterior(_frozen(model.inference), _frozen(model.variational))

    def __call__(
        self, state: Tensor, context: Tensor, noise: Tensor, proposal: Tensor | None
    ) -> InferenceSamples:
        # Equal values: one depends only on the parameters, the other only on the networks' inputs.
        fixed = None if proposal is None else proposal.detach()
        by_parameters = self.trained.draw(state.detach(), context, noise, fixed)
        by_inputs = self.frozen.draw(state, context.detach(), noise, proposal)
        moved = by_inputs.h - by_inputs.h.detach()
        # A separate node, since the gradient from later steps is not scaled.
        scaled = by_parameters.h.view_as(by_parameters.h)
        h_for_weights = scaled + moved
        xi, log_det_inverse = call_and_ladj(by_inputs.flow.inv, h_for_weights)
        return InferenceSamples(
            by_parameters.h + moved,
            h_for_weights,
            by_inputs.normal.log_prob(xi),
            -log_det_inverse,
            # With one sample the weight is one.
            scaled if self.samples > 1 else None,
        )


@dataclass(frozen=True)
class _Posterior:
    """The networks of q and F_q."""

    inference: nn.Module
    variational: nn.Module

    def draw(self, state: Tensor, context: Tensor, noise: Tensor, proposal: Tensor | None) -> "_Drawn":
        normal, flow = self.inference(state, context, proposal), self.variational(state)
        return _Drawn(flow(normal.rsample_with_log_prob(noise)[0]), normal, flow)


@dataclass(frozen=True)
class _Drawn:
    h: Tensor
    normal: DiagonalNormal
    flow: Transform


def _frozen(module: nn.Module) -> nn.Module:
    """A copy that shares the memory of the parameters and has no gradients."""
    return copy.deepcopy(module, {id(parameter): parameter.detach() for parameter in module.parameters()})
