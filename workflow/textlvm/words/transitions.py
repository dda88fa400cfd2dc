r"""Transition functions :math:`h_t = F(h_{t-1}, \xi_t)`: modules that map a state to a flow (Sec. 2.4).

Calling a transition with states (n, d) returns the restriction :math:`f(\xi) = F(h_{t-1}, \xi)` as a
`torch.distributions.Transform` of noise (n, K, d).

The paper does not state the number and width of the networks. Here each layer of a flow has one MLP with one
hidden layer of `width` tanh units, whose output is both g and G of Eq. (10).
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Transform
from zuko.transforms import ComposedTransform, MonotonicRQSTransform

from textlvm.words.flows import Affine, Coupling, Diagonal, Flip

__all__ = ["DiagonalTransition", "RealNVPTransition", "SplineTransition", "TrilTransition"]

INITIAL_WEIGHT = 0.05
"""Standard deviation of the last layer's initial weights: every transition starts near h_t = xi_t."""

SPLINE_BINS, SPLINE_BOUND = 4, 5.0
"""Pieces of a spline, and the bound of the interval [-5, 5] outside of which it is the identity."""


class DiagonalTransition(nn.Module):
    """DIAG: h = g(h') + diag(G(h')) xi, the default F_q; as F_g it "stagnated" (Sec. 5)."""

    def __init__(self, dim: int, width: int, delta: float, inverse: bool = False) -> None:
        super().__init__()
        self.delta, self.inverse = delta, inverse
        self.network, last = _mlp(dim, [width], 2 * dim)
        with torch.no_grad():
            last.bias[dim:] = 1 - delta

    def forward(self, state: Tensor) -> Transform:
        """The flow for states (n, d)."""
        shift, scale = self.network(state).unsqueeze(1).chunk(2, -1)
        flow = Diagonal(shift, _away_from_zero(scale, self.delta))
        return flow.inv if self.inverse else flow


class TrilTransition(nn.Module):
    """n x TRIL: n maps of Eq. (10) with lower-triangular G, each conditioned on h_{t-1}.

    The composition is affine in the noise, so p(h_t | h_{t-1}) is a Gaussian for every n. With `order`
    "keep" it is a product of lower-triangular matrices; "reverse" reverses the dimensions between layers,
    which makes every second matrix upper triangular.
    """

    def __init__(
        self, dim: int, layers: int, width: int, delta: float, order: str = "keep", inverse: bool = True
    ) -> None:
        super().__init__()
        self.dim, self.delta, self.order, self.inverse = dim, delta, order, inverse
        entries = dim * (dim + 1) // 2
        networks = [_mlp(dim, [width], dim + entries) for _ in range(layers)]
        self.networks = nn.ModuleList(network for network, _ in networks)
        self.positions: Tensor
        self.diagonal: Tensor
        rows, columns = torch.tril_indices(dim, dim)
        self.register_buffer("positions", dim * rows + columns, persistent=False)
        self.register_buffer("diagonal", torch.eye(dim), persistent=False)
        with torch.no_grad():
            for _, last in networks:
                last.bias[dim:][rows == columns] = 1 - delta

    def forward(self, state: Tensor) -> Transform:
        """The flow for states (n, d)."""
        layers = [self._layer(network, state) for network in self.networks]
        return _chain(layers, self.order, self.inverse)

    def _layer(self, network: nn.Module, state: Tensor) -> Affine:
        output = network(state)
        shift, entries = output[:, None, : self.dim], output[:, self.dim :]
        blank = entries.new_zeros(len(state), self.dim**2)
        matrix = blank.index_copy(1, self.positions, entries).view(-1, self.dim, self.dim)
        # Multiplied here: a buffer with delta would keep the rounding of its first type after a conversion.
        matrix = matrix + torch.copysign(self.delta * self.diagonal, matrix.detach())
        return Affine(shift, matrix)


class RealNVPTransition(nn.Module):
    """REAL-NVP-[m_1, ..., m_k]: conditional affine couplings that do not change the first m_i dimensions.

    Each network has two hidden layers of `dim` units (Sec. 5). With order "keep" the first
    min(m_i) dimensions never change; "reverse" reverses the dimensions between couplings, so all of them do.
    """

    def __init__(self, dim: int, masks: Sequence[int], order: str = "reverse", inverse: bool = True) -> None:
        super().__init__()
        self.masks, self.order, self.inverse = tuple(masks), order, inverse
        self.networks = nn.ModuleList(_mlp(dim + kept, [dim, dim], 2 * (dim - kept))[0] for kept in masks)

    def forward(self, state: Tensor) -> Transform:
        """The flow for states (n, d)."""
        state = state.unsqueeze(1)
        layers = zip(self.networks, self.masks, strict=True)
        couplings = [Coupling(network, state, kept) for network, kept in layers]
        return _chain(couplings, self.order, self.inverse)


class SplineTransition(nn.Module):
    """A spline of each dimension of the noise and a TRIL map, both conditioned on h_{t-1}; not in the paper.

    With monotonic rational-quadratic splines, p(h_t | h_{t-1}) is not a Gaussian, unlike with n x TRIL: it
    may be skewed or have several modes. Outside an interval the splines are the identity, so they are
    bijections of the real line. In both parametrizations they are applied to the noise, which rarely leaves
    that interval. They start near the identity, so training starts near TRIL. Their slopes at the knots stay
    between `delta`, as the diagonals of TRIL's matrices, and its inverse.

    References: Durkan, Bekasov, Murray & Papamakarios (2019), https://arxiv.org/abs/1906.04032.
    """

    def __init__(self, dim: int, width: int, delta: float, inverse: bool = True) -> None:
        super().__init__()
        self.dim, self.delta, self.inverse = dim, delta, inverse
        self.affine = TrilTransition(dim, 1, width, delta, inverse=False)
        self.network, _ = _mlp(dim, [width], dim * (3 * SPLINE_BINS - 1))

    def forward(self, state: Tensor) -> Transform:
        """The flow for states (n, d)."""
        parameters = self.network(state).view(len(state), 1, self.dim, -1)
        widths, heights, slopes = parameters.split([SPLINE_BINS, SPLINE_BINS, SPLINE_BINS - 1], -1)
        spline = MonotonicRQSTransform(widths, heights, slopes, bound=SPLINE_BOUND, slope=self.delta)
        affine = self.affine(state)
        return ComposedTransform(affine, spline).inv if self.inverse else ComposedTransform(spline, affine)


def _mlp(inputs: int, hidden: Sequence[int], outputs: int) -> tuple[nn.Sequential, nn.Linear]:
    """A network of tanh layers, and its last layer, which is linear."""
    sizes = [inputs, *hidden]
    layers: list[nn.Module] = []
    for i, o in itertools.pairwise(sizes):
        layers += [nn.Linear(i, o), nn.Tanh()]
    last = nn.Linear(sizes[-1], outputs)
    nn.init.normal_(last.weight, std=INITIAL_WEIGHT)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last), last


def _away_from_zero(x: Tensor, delta: float) -> Tensor:
    """Move values out of [-delta, delta] by adding delta with their sign.

    The paper clips instead. Adding keeps a gradient everywhere; clipping would freeze entries inside the
    interval.
    """
    return x + torch.copysign(torch.full_like(x, delta), x.detach())


def _chain(layers: Sequence[Transform], order: str, inverse: bool) -> Transform:
    flows = list(layers[:1])
    for layer in layers[1:]:
        flows += [Flip(), layer] if order == "reverse" else [layer]
    flow = flows[0] if len(flows) == 1 else ComposedTransform(*flows)
    return flow.inv if inverse else flow
