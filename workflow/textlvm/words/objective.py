r"""The objectives of the words paper, as functions of flows and distributions.

Notation of the paper: :math:`f_g, f_q` are the generative and the inference flow given
:math:`h_{t-1}`; :math:`h_t = f_q(\xi_t)` and :math:`\zeta_t = f_g^{-1}(h_t)`; r is the standard normal.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Transform

from textlvm.distributions import standard_normal_log_prob
from textlvm.words.flows import call_and_ladj
from textlvm.words.inference_samples import Sampler, sampler
from textlvm.words.letters import PackedWords
from textlvm.words.model import StateSpaceModel
from textlvm.words.noise import Noise

__all__ = ["log_weight", "step_bounds", "weighted_bound"]


def log_weight(
    log_likelihood: Tensor, zeta: Tensor, log_q: Tensor, log_det_q: Tensor, log_det_g: Tensor
) -> Tensor:
    r"""The sample inside the expectation of Eq. (9), which is also :math:`\log \omega^k` of Algorithm 1.

    .. math:: \log P(w_t|f_q(\xi)) + \log r(\zeta) - \log q(\xi|h_{t-1}, w_{t:T}) + \log|\det J_s(\xi)|,
              \quad s = f_g^{-1} \circ f_q, \quad \det J_s = \det J_{f_q} / \det J_{f_g}

    All in nats, (n, K); zeta is (n, K, d). Its equality with :math:`P(w|h) p(h|h_{t-1}) / q(h)` is the
    change of variables of Eqs. (7)-(8).
    """
    return log_likelihood + standard_normal_log_prob(zeta) - log_q + (log_det_q - log_det_g)


def weighted_bound(log_weights: Tensor) -> Tensor:
    r"""One step's :math:`\log \frac{1}{K} \sum_k \omega^k`, Eq. (11), horizon one: (n, K) to (n,)."""
    return torch.logsumexp(log_weights, -1) - math.log(log_weights.shape[-1])


def step_bounds(model: StateSpaceModel, batch: PackedWords, noise: Noise, estimator: str = "full") -> Tensor:
    """A sample of each step's term of the bound on log P(w), in nats: packed (N,).

    K = 1 is the two-flow ELBO, Eq. (9); K > 1 is Algorithm 1, or a particle filter if the model resamples.
    The expectation of the sum over a word's steps is at most log P(w), and the exponential of the sum is an
    unbiased estimate of P(w). `estimator` changes only the gradients: full | path, see
    `textlvm.words.inference_samples`.
    """
    sample = sampler(model, estimator)
    if noise.proposals is None or noise.gumbel is None:
        return _single_sample_bounds(model, sample, batch, noise)
    if model.resampling:
        return _particle_bounds(model, sample, batch, noise, noise.proposals, noise.gumbel)
    context = model.inference.context(batch)
    state = model.initial_state(batch.packing.batch)
    terms = []
    for rows in batch.packing.steps():
        state = state[: rows.stop - rows.start]
        generative = model.generative(state)
        proposal = generative(noise.proposals[rows])
        drawn = sample(state, context[rows], noise.posterior[rows], proposal)
        weights = _weigh(model, generative, batch.letters[rows], *drawn.for_weights)
        drawn.scale_gradient(weights)
        terms.append(weighted_bound(weights))
        state = _resample(drawn.h, weights, noise.gumbel[rows])
    return torch.cat(terms)


def _single_sample_bounds(
    model: StateSpaceModel, sample: Sampler, batch: PackedWords, noise: Noise
) -> Tensor:
    """With one sample there is no choice between steps: all steps are weighted together at the end."""
    context = model.inference.context(batch)
    state = model.initial_state(batch.packing.batch)
    states, for_weights = [], []
    for rows in batch.packing.steps():
        state = state[: rows.stop - rows.start]
        drawn = sample(state, context[rows], noise.posterior[rows], None)
        states.append(state)
        for_weights.append(drawn.for_weights)
        state = drawn.h.squeeze(1)
    generative = model.generative(torch.cat(states))
    joined = map(torch.cat, zip(*for_weights, strict=True))
    return weighted_bound(_weigh(model, generative, batch.letters, *joined))


def _particle_bounds(
    model: StateSpaceModel,
    sample: Sampler,
    batch: PackedWords,
    noise: Noise,
    proposals: Tensor,
    gumbel: Tensor,
) -> Tensor:
    """A particle filter: all K samples are carried on, resampled in proportion to their weights.

    The paper's "more sophisticated solution" (Appendix A, last paragraph); the bound is the one of Maddison
    et al. (2017), https://arxiv.org/abs/1705.09279. As there and in Algorithm 1, the gradient has no score
    term for the resampling. Each sample is proposed as in Algorithm 1, but from a separate state.

    Samples are resampled at every step, not only when the effective sample size falls below K/2: a step's
    term is then a smooth function of its draws, as `path` requires, and is no less tight (docs/words.md).
    """
    samples = model.samples
    context = model.inference.context(batch)
    states = model.initial_state(batch.packing.batch * samples)
    terms = []
    for rows in batch.packing.steps():
        states = states[: (rows.stop - rows.start) * samples]
        generative = model.generative(states)
        proposal = generative(proposals[rows].flatten(0, 1).unsqueeze(1))
        draws = noise.posterior[rows].flatten(0, 1).unsqueeze(1)
        drawn = sample(states, context[rows].repeat_interleave(samples, 0), draws, proposal)
        letters = batch.letters[rows].repeat_interleave(samples)
        weights = _weigh(model, generative, letters, *drawn.for_weights).view(-1, samples)
        drawn.scale_gradient(weights)
        terms.append(weighted_bound(weights))
        ancestors = _ancestors(weights, gumbel[rows])
        first = samples * torch.arange(len(ancestors), device=ancestors.device)
        states = drawn.h.squeeze(1)[(ancestors + first.unsqueeze(1)).flatten()]
    return torch.cat(terms)


def _ancestors(log_weights: Tensor, gumbel: Tensor) -> Tensor:
    """Stratified resampling: indices of K ancestors, from log-weights (n, K) and Gumbel noise (n, K): (n, K).

    The expected count of a sample is K times its normalised weight; if all weights are equal, each sample is
    chosen once.
    """
    samples = log_weights.shape[-1]
    strata = torch.arange(samples, device=log_weights.device)
    # The Gumbel distribution function maps the noise to uniform numbers.
    shares = (strata + (-(-gumbel).exp()).exp()) / samples
    cumulative = log_weights.detach().softmax(-1).cumsum(-1)
    # Rounding can change the total from one. NaN weights give the index K, clamped; the loss is NaN too.
    return torch.searchsorted(cumulative, shares * cumulative[..., -1:]).clamp(max=samples - 1)


def _weigh(
    model: StateSpaceModel,
    generative: Transform,
    letters: Tensor,
    h: Tensor,
    log_q: Tensor,
    log_det_q: Tensor,
) -> Tensor:
    """log omega^k (n, K) of samples h (n, K, d) of the inference model."""
    zeta, log_det_inverse = call_and_ladj(generative.inv, h)
    return log_weight(model.log_likelihood(h, letters), zeta, log_q, log_det_q, -log_det_inverse)


def _resample(candidates: Tensor, log_weights: Tensor, gumbel: Tensor) -> Tensor:
    """Draw one of K candidates (n, K, d) in proportion to its weight, by the Gumbel-max trick: (n, d)."""
    chosen = (log_weights.detach() + gumbel).argmax(-1)
    return candidates[torch.arange(len(candidates), device=candidates.device), chosen]
