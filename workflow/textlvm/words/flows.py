r"""Invertible maps :math:`h = f(\xi)` of the noise, given the previous state.

They follow the convention of `torch.distributions.Transform`: `f(xi)`, `f.inv(h)` and
`f.log_abs_det_jacobian(xi, h)`, so that every transform of R^d from PyTorch or another library is a flow.
Arrays are (n, K, d): n states that the map is conditioned on, K samples of each, dimension d;
log-determinants are (n, K).
"""

from torch import Tensor, addcmul, baddbmm, cat, linalg, nn, tanh
from torch.distributions import Transform, constraints

__all__ = ["Affine", "Coupling", "Diagonal", "Flip", "Flow", "call_and_ladj"]


def call_and_ladj(f: Transform, x: Tensor) -> tuple[Tensor, Tensor]:
    """f(x) (n, K, d) and log |det df/dx| (n, K), in one pass if the transform supports it.

    A transform supports it by a method of this name, as in this module and in zuko. The log-determinants of
    an elementwise transform (`event_dim` 0) are summed over the last dimension.
    """
    if hasattr(f, "call_and_ladj"):
        y, ladj = f.call_and_ladj(x)
    else:
        y = f(x)
        ladj = f.log_abs_det_jacobian(x, y)
    return y, ladj if f.domain.event_dim else ladj.sum(-1)


class Flow(Transform):
    """A diffeomorphism of R^d for each of n states: the base class of this module's transforms."""

    domain = constraints.real_vector
    codomain = constraints.real_vector
    bijective = True

    @property
    def inv(self) -> "Flow":
        """The inverse map, as a flow."""
        return _Inverse(self)

    def call_and_ladj(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """f(x) and log |det df/dx|."""
        y = self._call(x)
        return y, self.log_abs_det_jacobian(x, y)

    def inverse_and_ladj(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """x = f^-1(y) and log |det dx/dy|."""
        x = self._inverse(y)
        return x, -self.log_abs_det_jacobian(x, y)


class _Inverse(Flow):
    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    @property
    def inv(self) -> Flow:
        return self.flow

    def _call(self, x: Tensor) -> Tensor:
        return self.flow._inverse(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.flow._call(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.flow.log_abs_det_jacobian(y, x)

    def call_and_ladj(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.flow.inverse_and_ladj(x)

    def inverse_and_ladj(self, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.flow.call_and_ladj(y)


class Diagonal(Flow):
    """h = shift + scale * xi; shift and scale are (n, 1, d)."""

    def __init__(self, shift: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.shift, self.scale = shift, scale

    def _call(self, x: Tensor) -> Tensor:
        return addcmul(self.shift, self.scale, x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.shift) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The log-determinant (n, K), which does not depend on the noise."""
        return self.scale.abs().log().sum(-1).expand(x.shape[:-1])


class Affine(Flow):
    """h = shift + matrix xi with a lower-triangular matrix; shift (n, 1, d), matrix (n, d, d).

    The determinant costs O(d) and the inverse, by substitution, O(d^2) (Sec. 2.4, Eq. 10).
    """

    def __init__(self, shift: Tensor, matrix: Tensor) -> None:
        super().__init__()
        self.shift, self.matrix = shift, matrix

    def _call(self, x: Tensor) -> Tensor:
        return baddbmm(self.shift, x, self.matrix.transpose(1, 2))

    def _inverse(self, y: Tensor) -> Tensor:
        difference = (y - self.shift).transpose(1, 2)
        return linalg.solve_triangular(self.matrix, difference, upper=False).transpose(1, 2)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The log-determinant (n, K), which does not depend on the noise."""
        diagonal = self.matrix.diagonal(dim1=1, dim2=2)
        return diagonal.abs().log().sum(-1, keepdim=True).expand(x.shape[:-1])


class Coupling(Flow):
    """Affine coupling (Dinh et al. 2016), conditioned on a state: the first `kept` dimensions do not change.

    The others are scaled and shifted by a network of (unchanged dimensions, state).
    """

    MAX_LOG_SCALE = 2.0
    """Log-scales are soft-limited to this magnitude: an unbounded exp diverges early in training."""

    def __init__(self, network: nn.Module, state: Tensor, kept: int) -> None:
        """The network maps (n, K, kept + d) to (n, K, 2 (d - kept)): log-scales, then shifts.

        `state` (n, 1, d) is the previous state.
        """
        super().__init__()
        self.network, self.state, self.kept = network, state, kept

    def _parameters(self, unchanged: Tensor) -> tuple[Tensor, Tensor]:
        state = self.state.expand(-1, unchanged.shape[1], -1)
        log_scale, shift = self.network(cat([unchanged, state], -1)).chunk(2, -1)
        return self.MAX_LOG_SCALE * tanh(log_scale / self.MAX_LOG_SCALE), shift

    def _call(self, x: Tensor) -> Tensor:
        return self.call_and_ladj(x)[0]

    def _inverse(self, y: Tensor) -> Tensor:
        return self.inverse_and_ladj(y)[0]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The log-determinant (n, K)."""
        return self._parameters(x[..., : self.kept])[0].sum(-1)

    # Overridden to call the network once for both results.

    def call_and_ladj(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.call_and_ladj`."""
        unchanged, rest = x[..., : self.kept], x[..., self.kept :]
        log_scale, shift = self._parameters(unchanged)
        return cat([unchanged, rest * log_scale.exp() + shift], -1), log_scale.sum(-1)

    def inverse_and_ladj(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """See `Flow.inverse_and_ladj`."""
        unchanged, rest = y[..., : self.kept], y[..., self.kept :]
        log_scale, shift = self._parameters(unchanged)
        return cat([unchanged, (rest - shift) * (-log_scale).exp()], -1), -log_scale.sum(-1)


class Flip(Flow):
    """Reverse the order of the dimensions."""

    def _call(self, x: Tensor) -> Tensor:
        return x.flip(-1)

    _inverse = _call

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Zeros (n, K)."""
        return x.new_zeros(x.shape[:-1])
