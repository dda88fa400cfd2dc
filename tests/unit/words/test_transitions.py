"""Properties of all transition functions, in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import TorchTransition, ZukoTransition
from torch.distributions import Independent, Normal, TransformedDistribution

from textlvm.words.flows import call_and_ladj
from textlvm.words.transitions import (
    SPLINE_BOUND,
    DiagonalTransition,
    RealNVPTransition,
    SplineTransition,
    TrilTransition,
)

DIM = 5
TRANSITIONS = {
    f"{name}-{order}-{'inverse' if inverse else 'forward'}": (make, order, inverse)
    for name, make in {
        "diag": lambda order, inverse: DiagonalTransition(DIM, 7, 0.1, inverse),
        "tril": lambda order, inverse: TrilTransition(DIM, 1, 7, 0.1, order, inverse),
        "3xtril": lambda order, inverse: TrilTransition(DIM, 3, 7, 0.1, order, inverse),
        "spline": lambda order, inverse: SplineTransition(DIM, 7, 0.1, inverse),
        "real-nvp": lambda order, inverse: RealNVPTransition(DIM, [1, 2, 3, 4], order, inverse),
    }.items()
    for order in ("keep", "reverse")
    for inverse in (False, True)
} | {
    "torch-affine": (lambda order, inverse: TorchTransition(DIM, affine=True), "keep", False),
    "torch-composed": (lambda order, inverse: TorchTransition(DIM), "keep", False),
    "zuko": (lambda order, inverse: ZukoTransition(DIM), "keep", False),
}


@pytest.fixture(params=TRANSITIONS)
def transition(request):
    make, order, inverse = TRANSITIONS[request.param]
    torch.manual_seed(3)
    module = make(order, inverse).double()
    # Far from the initial weights, which are close to the identity and would hide errors.
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return module


def draw(n=4, k=3):
    return torch.randn(n, DIM, dtype=torch.float64), torch.randn(n, k, DIM, dtype=torch.float64)


def test_inverse_recovers_the_noise(transition):
    state, xi = draw()
    flow = transition(state)
    h, log_det = call_and_ladj(flow, xi)
    back, log_det_back = call_and_ladj(flow.inv, h)
    torch.testing.assert_close(back, xi, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(log_det, -log_det_back)
    assert log_det.shape == xi.shape[:-1]
    assert not torch.allclose(h, xi)


def test_log_determinant_equals_autograd_jacobian(transition):
    state, xi = draw(n=2, k=2)
    _, log_det = call_and_ladj(transition(state), xi)
    for i in range(2):
        for k in range(2):

            def one(x, i=i):
                return transition(state[i : i + 1])(x.view(1, 1, DIM)).flatten()

            jacobian = torch.autograd.functional.jacobian(one, xi[i, k])
            torch.testing.assert_close(log_det[i, k], torch.linalg.slogdet(jacobian).logabsdet)


def test_every_parameter_gets_a_gradient(transition):
    state, xi = draw(n=64)
    flow = transition(state)
    h, log_det = call_and_ladj(flow, xi)
    back = flow.inv(xi)
    (h.square().sum() + back.square().sum() + log_det.square().sum()).backward()
    for name, parameter in transition.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_samples_of_a_state_are_independent(transition):
    state, xi = draw(n=3, k=4)
    together = transition(state)(xi)
    alone = transition(state[1:2])(xi[1:2, 2:3])
    torch.testing.assert_close(together[1, 2], alone[0, 0])


def test_tril_is_lower_triangular_when_the_order_is_kept():
    for order, triangular in (("keep", True), ("reverse", False)):
        module = TrilTransition(DIM, 2, 7, 0.1, order, inverse=False).double()
        with torch.no_grad():
            module.networks[0][-1].bias.add_(0.3)
            module.networks[1][-1].bias.add_(0.3)
        state = torch.zeros(1, DIM, dtype=torch.float64)
        jacobian = torch.autograd.functional.jacobian(
            lambda x, m=module, s=state: m(s)(x.view(1, 1, DIM)).flatten(),
            torch.randn(DIM, dtype=torch.float64),
        )
        assert torch.allclose(jacobian, jacobian.tril()) is triangular


@given(st.floats(0.01, 0.49), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_diagonals_stay_out_of_the_forbidden_interval(delta, seed):
    torch.manual_seed(seed)
    module = TrilTransition(3, 2, 4, delta, inverse=False).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    for layer in module(torch.randn(8, 3, dtype=torch.float64)).transforms:
        assert layer.matrix.diagonal(dim1=1, dim2=2).abs().min() >= delta


def test_inverse_parametrization_swaps_directions():
    state, x = draw()
    module, swapped = (TrilTransition(DIM, 2, 7, 0.1, inverse=inverse).double() for inverse in (False, True))
    swapped.load_state_dict(module.state_dict())
    torch.testing.assert_close(swapped(state)(x), module(state).inv(x))
    torch.testing.assert_close(
        call_and_ladj(swapped(state), x)[1], -call_and_ladj(module(state), module(state).inv(x))[1]
    )


def test_density_equals_transformed_distribution(transition):
    state, xi = draw()
    flow = transition(state)
    noise = Independent(Normal(torch.zeros_like(xi), 1.0), 1)
    h, ladj = call_and_ladj(flow, xi)
    density = TransformedDistribution(noise, [flow]).log_prob(h)
    torch.testing.assert_close(density, noise.log_prob(xi) - ladj, rtol=1e-7, atol=1e-7)


def test_call_and_ladj_equals_separate_calls(transition):
    state, x = draw()
    for flow in (transition(state), transition(state).inv):
        y, ladj = call_and_ladj(flow, x)
        torch.testing.assert_close(flow(x), y)
        torch.testing.assert_close(flow.log_abs_det_jacobian(x, y), ladj)
        torch.testing.assert_close(flow.inv.inv(x), y)


def spline(inverse, dim=1, scale=0.6):
    torch.manual_seed(1)
    module = SplineTransition(dim, 7, 0.1, inverse).double()
    with torch.no_grad():
        for parameter in module.network.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return module


@pytest.mark.parametrize("inverse", [False, True])
def test_density_of_a_spline_integrates_to_one(inverse):
    """By quadrature over the real line; it is not close to a Gaussian density."""
    module = spline(inverse)
    state = torch.linspace(-2, 2, 6, dtype=torch.float64)[:, None]
    h = torch.linspace(-20, 20, 400_001, dtype=torch.float64)
    grid = h.expand(6, -1).unsqueeze(-1)
    xi, ladj = call_and_ladj(module(state).inv, grid)
    density = (Normal(0.0, 1.0).log_prob(xi).squeeze(-1) + ladj).exp()
    torch.testing.assert_close(
        torch.trapezoid(density, h), torch.ones(6, dtype=torch.float64), rtol=1e-5, atol=0
    )
    mean, second = (torch.trapezoid(density * power, h) for power in (h, h.square()))
    normal = Normal(mean, (second - mean.square()).sqrt())
    gaussian = normal.log_prob(h[:, None]).exp().T
    assert (torch.trapezoid((density - gaussian).abs(), h) > 0.1).all()


@pytest.mark.parametrize("inverse", [False, True])
def test_initial_spline_equals_tril(inverse):
    module = spline(inverse, DIM, scale=0.0)
    with torch.no_grad():
        module.network[-1].weight.zero_()
    tril = TrilTransition(DIM, 1, 7, 0.1, inverse=inverse).double()
    tril.load_state_dict(module.affine.state_dict())
    state, xi = draw()
    for found, expected in zip(call_and_ladj(module(state), xi), call_and_ladj(tril(state), xi), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("inverse", [False, True])
def test_spline_equals_tril_outside_its_interval(inverse):
    module = spline(inverse, DIM)
    tril = TrilTransition(DIM, 1, 7, 0.1, inverse=inverse).double()
    tril.load_state_dict(module.affine.state_dict())
    state, xi = draw()
    far = xi.sign() * (SPLINE_BOUND + xi.abs())
    for found, expected in zip(
        call_and_ladj(module(state), far), call_and_ladj(tril(state), far), strict=True
    ):
        torch.testing.assert_close(found, expected)
    assert not torch.allclose(module(state)(xi), tril(state)(xi), rtol=1e-2)


@pytest.mark.parametrize("delta", [0.01, 0.1, 0.4])
def test_slopes_of_a_spline_stay_between_delta_and_its_inverse(delta):
    torch.manual_seed(0)
    module = SplineTransition(DIM, 7, delta, inverse=False).double()
    with torch.no_grad():
        module.network[-1].weight.normal_(std=30)
    state, _ = draw(n=200)
    slopes = module(state).transforms[0].derivatives
    assert delta < slopes.min() < 1.5 * delta
    assert 1 / (1.5 * delta) < slopes.max() < 1 / delta
