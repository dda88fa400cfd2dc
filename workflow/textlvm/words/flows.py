r"""Invertible maps :math:`h = f(\xi)` of the noise, given the previous state.

Every flow maps arrays (n, K, d): n states it is conditioned on, K samples of each, dimension d. Both
directions return the image and :math:`\log |\det \partial h / \partial \xi|` (the *forward* Jacobian,
whichever way they run), (n, K) or broadcastable to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

__all__ = ["Affine", "Composed", "Coupling", "Diagonal", "Flip", "Flow", "Inverse"]


class Flow(Protocol):
    """A diffeomorphism of R^d for each of n states."""

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """h = f(xi) and log |det dh/dxi|."""
        ...

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """xi = f^-1(h) and log |det dh/dxi| there."""
        ...


@dataclass(frozen=True)
class Diagonal:
    """h = shift + scale * xi; shift and scale are (n, 1, d)."""

    shift: Tensor
    scale: Tensor

    def _log_det(self) -> Tensor:
        return self.scale.abs().log().sum(-1)

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.forward`."""
        return torch.addcmul(self.shift, self.scale, xi), self._log_det()

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse`."""
        return (h - self.shift) / self.scale, self._log_det()


@dataclass(frozen=True)
class Affine:
    """h = shift + matrix xi with a lower-triangular matrix; shift (n, 1, d), matrix (n, d, d).

    The determinant costs O(d) and the inverse, by substitution, O(d^2) (Sec. 2.4, Eq. 10).
    """

    shift: Tensor
    matrix: Tensor

    def _log_det(self) -> Tensor:
        return self.matrix.diagonal(dim1=1, dim2=2).abs().log().sum(-1, keepdim=True)

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.forward`."""
        return torch.baddbmm(self.shift, xi, self.matrix.transpose(1, 2)), self._log_det()

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse`."""
        difference = (h - self.shift).transpose(1, 2)
        xi = torch.linalg.solve_triangular(self.matrix, difference, upper=False)
        return xi.transpose(1, 2), self._log_det()


@dataclass(frozen=True)
class Coupling:
    """Affine coupling (Dinh et al. 2016), conditioned on a state: the first `kept` dimensions pass.

    The others are scaled and shifted by a network of (passed dimensions, state).
    """

    network: nn.Module
    """Maps (n, K, kept + d) to (n, K, 2 (d - kept)): log-scales, then shifts."""
    state: Tensor
    """(n, 1, d) the previous state."""
    kept: int

    MAX_LOG_SCALE = 2.0
    """Log-scales are soft-limited to this magnitude: an unbounded exp diverges early in training."""

    def _parameters(self, passed: Tensor) -> tuple[Tensor, Tensor]:
        state = self.state.expand(-1, passed.shape[1], -1)
        log_scale, shift = self.network(torch.cat([passed, state], -1)).chunk(2, -1)
        return self.MAX_LOG_SCALE * torch.tanh(log_scale / self.MAX_LOG_SCALE), shift

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.forward`."""
        passed, rest = xi[..., : self.kept], xi[..., self.kept :]
        log_scale, shift = self._parameters(passed)
        return torch.cat([passed, rest * log_scale.exp() + shift], -1), log_scale.sum(-1)

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse`."""
        passed, rest = h[..., : self.kept], h[..., self.kept :]
        log_scale, shift = self._parameters(passed)
        return torch.cat([passed, (rest - shift) * (-log_scale).exp()], -1), log_scale.sum(-1)


@dataclass(frozen=True)
class Flip:
    """Reverse the order of the dimensions."""

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.forward`."""
        return xi.flip(-1), xi.new_zeros(1, 1)

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse`."""
        return self.forward(h)


@dataclass(frozen=True)
class Composed:
    """f_k o ... o f_1, given as (f_1, ..., f_k)."""

    flows: Sequence[Flow]

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.forward`."""
        x, log_det = self.flows[0].forward(xi)
        for flow in self.flows[1:]:
            x, term = flow.forward(x)
            log_det = log_det + term
        return x, log_det

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse`."""
        x, log_det = self.flows[-1].inverse(h)
        for flow in reversed(self.flows[:-1]):
            x, term = flow.inverse(x)
            log_det = log_det + term
        return x, log_det


@dataclass(frozen=True)
class Inverse:
    """The inverse of a flow as a flow: what is parametrised is then F^-1 (Sec. 2.4, last paragraph)."""

    flow: Flow

    def forward(self, xi: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.forward`."""
        h, log_det = self.flow.inverse(xi)
        return h, -log_det

    def inverse(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse`."""
        xi, log_det = self.flow.forward(h)
        return xi, -log_det
