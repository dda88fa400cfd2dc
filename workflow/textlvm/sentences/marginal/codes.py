"""Information in posteriors about sentences: KL by dimension, active units, mutual information."""

from typing import Any

import torch

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.evaluation import aggregated_posterior

__all__ = ["ACTIVE", "describe"]

ACTIVE = 0.01
"""A dimension is active if its posterior mean has a larger variance over sentences (Burda et al. 2016)."""


def describe(posterior: DiagonalNormal) -> dict[str, Any]:
    """Describe the posteriors (N, d) of N sentences:

    kl_by_dimension       KL(q(z_i|x) || N(0, 1)) in nats, mean over sentences, in decreasing order
    active_units          number of dimensions whose posterior mean has a variance above `ACTIVE`
    mutual_information    I_q(x; z) = E log q(z|x) - log q(z) in nats, with the mixture of the N posteriors as
                          q(z), estimated with one code per sentence; at most log N
    """
    posterior = posterior.to(torch.float64)
    kl = posterior.kl_by_dimension().mean(0)
    z, log_q = posterior.rsample_with_log_prob()
    information = (log_q - aggregated_posterior.log_prob(z, posterior)).mean()
    return {
        "kl_by_dimension": [round(value, 4) for value in torch.sort(kl, descending=True).values.tolist()],
        "active_units": int((posterior.loc.var(0) > ACTIVE).sum()),
        "mutual_information": float(information),
    }
