r"""iVAE_MI of Table 2: an implicit posterior (Fang et al., 2019).

A code is a function of the encoder's last state and of noise. Its density is not used in training: a KL
divergence is the maximum over functions :math:`\nu` of

.. math:: E_{q}[\nu(z)] - E_{p}[e^{\nu(z)}] + 1 \leq KL(q \| p),

attained at :math:`\nu = \log q / p`. A dual network represents :math:`\nu`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.models.decoder import LatentVariableModel
from textlvm.sentences.spec import ModelSpec

__all__ = ["LIMIT", "DualNetwork", "ImplicitDensities", "ImplicitModel", "densities", "dual_bound"]

UNITS = 512
"""Units of each of the three hidden layers of a dual network, as in the authors' code."""
LIMIT = 30.0
"""Upper limit of a dual network's values. With it exp(nu) and the squares of its gradients are finite in
single precision. Any nu gives a lower bound on the divergence, so a limited one does too."""


class DualNetwork(nn.Module):
    """nu(z), or nu(x, z) if a summary of the sentence is also given: three hidden layers with leaky ReLU.

    The output v of the last layer becomes LIMIT - softplus(LIMIT - v), which is close to v far below the
    limit and never exceeds it.
    """

    def __init__(self, inputs: int, units: int = UNITS) -> None:
        super().__init__()
        hidden = [nn.Linear(units, units) for _ in range(2)]
        layers = [nn.Linear(inputs, units), *hidden]
        self.layers = nn.Sequential(
            *(part for layer in layers for part in (layer, nn.LeakyReLU())), nn.Linear(units, 1)
        )

    def forward(self, *inputs: Tensor) -> Tensor:
        """Values (B,) for the concatenation of inputs (B, d), in float32 or float64."""
        # Near the limit, bfloat16 has too few values.
        with torch.autocast(inputs[0].device.type, enabled=False):
            values: Tensor = self.layers(torch.cat(inputs, 1)).squeeze(1)
        return LIMIT - softplus(LIMIT - values)

    def frozen(self, *inputs: Tensor) -> Tensor:
        """The same values without gradients for the network's parameters."""
        parameters = {name: value.detach() for name, value in self.named_parameters()}
        values: Tensor = functional_call(self, parameters, inputs)
        return values


def dual_bound(at_posterior: Tensor, at_prior: Tensor) -> Tensor:
    """Estimate a lower bound on KL(q || p), in nats, from values of nu at samples of q and of p."""
    return at_posterior.mean() - at_prior.exp().mean() + 1


class ImplicitModel(LatentVariableModel):
    r"""z = W [h; e] + b for the encoder's last state h and noise e ~ N(0, I), as in the authors' code.

    With this map, :math:`q(z|x)` is Gaussian with the same full covariance for all sentences. Training does
    not use this; the evaluation compares the dual network's estimate with the closed form.
    """

    def add_posterior(self, spec: ModelSpec) -> None:
        """Add the layer that maps state and noise to a code, and the dual networks for q(z|x) and q(z)."""
        self.latent = spec.latent
        self.code = nn.Linear(spec.hidden + spec.latent, spec.latent)
        self.dual = DualNetwork(spec.latent + spec.hidden)
        self.aggregated_dual = DualNetwork(spec.latent)

    def summarize(self, batch: SentenceBatch) -> Tensor:
        """The encoder's last state h (B, hidden), in the batch's order."""
        return self.read(batch)[batch.packing.last]

    def rsample(self, summary: Tensor, noise: Tensor | None = None) -> Tensor:
        """A code (B, latent) for each summary, from `noise` (B, latent) or from new random noise."""
        if noise is None:
            noise = torch.randn(len(summary), self.latent, dtype=summary.dtype, device=summary.device)
        with torch.autocast(summary.device.type, enabled=False):
            z: Tensor = self.code(torch.cat([summary, noise], 1))
        return z

    def kl_to_standard_normal(self, summary: Tensor) -> Tensor:
        """KL(q(z|x) || N(0, I)) in closed form, in nats: (B,)."""
        mean = self.rsample(summary, torch.zeros_like(summary[:, :1]).expand(-1, self.latent))
        factor = self.code.weight[:, -self.latent :]
        log_determinant = 2 * torch.linalg.slogdet(factor).logabsdet
        constant = factor.square().sum() - self.latent - log_determinant
        return 0.5 * (mean.square().sum(1) + constant)

    def dual_parameters(self) -> list[nn.Parameter]:
        """The parameters of the dual networks."""
        return [*self.dual.parameters(), *self.aggregated_dual.parameters()]


@dataclass(frozen=True)
class ImplicitDensities:
    """The terms of one code per sentence, in nats."""

    log_likelihood: Tensor
    """(B,) log p(x|z), <eos> included."""
    kl: Tensor
    """() dual bound on KL(q(z|x) || N(0, I)), with gradients only for its dual network."""
    aggregated_kl: Tensor
    """() dual bound on KL(q(z) || N(0, I)), q(z) the aggregated posterior; gradients only for its network."""
    model_kl: Tensor
    """() the value of `aggregated_kl`, with gradients only for the encoder."""


def densities(model: ImplicitModel, batch: SentenceBatch) -> ImplicitDensities:
    """Encode, draw a code for each sentence, decode, and compute the dual bounds with codes from N(0, I)."""
    summary = model.summarize(batch)
    z = model.rsample(summary)
    words, end = model.log_likelihood(batch, z)
    prior, fixed, seen = torch.randn_like(z), z.detach(), summary.detach()
    kl = dual_bound(model.dual(fixed, seen), model.dual(prior, seen))
    at_prior = model.aggregated_dual(prior)
    aggregated = dual_bound(model.aggregated_dual(fixed), at_prior)
    model_kl = dual_bound(model.aggregated_dual.frozen(z), at_prior.detach())
    return ImplicitDensities(words + end, kl, aggregated, model_kl)
