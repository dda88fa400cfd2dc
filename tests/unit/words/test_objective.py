"""The objectives compared with exact likelihoods by quadrature (d = 1), and identities from the paper."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quadrature import WORDS, bounds, model_with, quadrature, smooth_model
from torch.func import functional_call

from textlvm.words.engine import bound, is_fused
from textlvm.words.flows import call_and_ladj
from textlvm.words.letters import END, encode, pack
from textlvm.words.noise import Noise, draw_noise
from textlvm.words.objective import _ancestors, log_weight, step_bounds, weighted_bound

KINDS = [
    ("tril", 1, False),
    ("tril", 3, False),
    ("diag", 1, False),
    ("diag", 3, False),
    ("spline", 1, False),
    ("tril", 3, True),
    ("spline", 3, True),
]


@pytest.fixture(scope="module", params=KINDS)
def scalar_model(request):
    return smooth_model(**dict(zip(("transition", "samples", "resampling"), request.param, strict=True)))


def test_quadrature_is_a_distribution(scalar_model):
    one_letter = [quadrature(scalar_model, chr(ord("a") + i), nodes=501) for i in range(26)]
    empty = quadrature(scalar_model, "", nodes=501)
    assert empty < 0
    assert sum(map(math.exp, one_letter)) + math.exp(empty) < 1


@pytest.mark.parametrize("word", WORDS)
def test_bound_is_below_the_log_likelihood(scalar_model, word):
    values = bounds(scalar_model, word, 20_000)
    error = float(values.std()) / math.sqrt(len(values))
    assert float(values.mean()) <= quadrature(scalar_model, word) + 4 * error


@pytest.mark.parametrize("word", WORDS)
def test_product_of_mean_weights_is_an_unbiased_estimate(scalar_model, word):
    exact = quadrature(scalar_model, word)
    ratios = (bounds(scalar_model, word, 60_000) - exact).exp()
    error = float(ratios.std()) / math.sqrt(len(ratios))
    assert error < 0.05, "the estimate is too noisy for the test to mean anything"
    assert abs(float(ratios.mean()) - 1) < 4.5 * error


def test_one_step_bound_increases_with_k():
    means = []
    for samples in (2, 5, 20):
        model = model_with(seed=1, dim=1, samples=samples)
        model.load_state_dict(model_with(seed=1, dim=1, samples=2).state_dict())
        means.append(float(bounds(model, "", 40_000).mean()))
    assert means[0] < means[1] < means[2] <= quadrature(model, "") + 0.02


def test_resampling_bound_increases_with_k_over_several_steps():
    means, errors = [], []
    for samples in (2, 5, 20):
        model = smooth_model(samples=samples, resampling=True)
        values = bounds(model, "tea", 10_000)
        means.append(float(values.mean()))
        errors.append(float(values.std()) / math.sqrt(len(values)))
    error = math.hypot(*errors)
    assert means[0] + 4 * error < means[1]
    assert means[1] + 4 * error < means[2] < quadrature(model, "tea") + error


def with_resampling(model):
    """A copy of the model with `resampling`."""
    other = copy.deepcopy(model)
    other.resampling = True
    return other


def test_resampling_one_sample_has_no_effect():
    model = model_with()
    batch = pack(encode(["deep", "state", "a"]), torch.arange(3))
    noise = draw_noise(model, batch)
    # The particle filter draws proposals, but with K = 1 q does not use them.
    proposals, gumbel = torch.randn_like(noise.posterior), torch.randn_like(noise.posterior[..., 0])
    found = step_bounds(with_resampling(model), batch, Noise(noise.posterior, proposals, gumbel))
    torch.testing.assert_close(found, step_bounds(model, batch, noise))


def test_resampling_does_not_change_the_first_step():
    """All samples of the first step start from the same state."""
    model = model_with(scale=0.1, samples=4)
    batch = pack(encode(["deep", "state", "", "a"]), torch.arange(4))
    noise = draw_noise(model, batch)
    expected, found = (step_bounds(one, batch, noise) for one in (model, with_resampling(model)))
    torch.testing.assert_close(found[:4], expected[:4])
    assert not torch.isclose(found[4:], expected[4:]).all()


def test_samples_of_equal_weight_are_all_carried_on():
    """The particle filter is then K independent chains, each as with K = 1."""
    model = model_with(samples=3, transition="diag", parametrization="forward")
    model.generative.load_state_dict(model.variational.state_dict())
    with torch.no_grad():
        # Letters do not depend on the state and q is the prior, so all weights of a step are equal.
        model.emission.weight.zero_()
        model.inference.head.weight.zero_()
        model.inference.head.bias.zero_()
    seen = []
    model.generative.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    batch = pack(encode(["deep"]), torch.zeros(2, dtype=torch.long))
    noise = draw_noise(model, batch)
    step_bounds(with_resampling(model), batch, noise)
    state = model.initial_state(6)
    for states, rows in zip(seen, batch.packing.steps(), strict=True):
        torch.testing.assert_close(states, state)
        state = model.variational(state)(noise.posterior[rows].view(6, 1, 8)).squeeze(1)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=9), st.integers(0, 1000))
def test_ancestor_counts_are_within_two_of_their_expectation(log_weights, seed):
    """In stratified resampling the strata at either end of a sample's share add at most one each."""
    torch.manual_seed(seed)
    log_weights = torch.tensor([log_weights], dtype=torch.float64)
    gumbel = -torch.empty_like(log_weights).exponential_().log()
    counts = torch.bincount(_ancestors(log_weights, gumbel)[0], minlength=log_weights.shape[1])
    expected = log_weights.shape[1] * log_weights.softmax(-1)[0]
    assert counts.sum() == log_weights.shape[1]
    assert ((counts - expected).abs() < 2).all()


def test_expected_ancestor_counts_are_proportional_to_weights():
    torch.manual_seed(0)
    log_weights = torch.randn(5, dtype=torch.float64)
    gumbel = -torch.empty(40_000, 5, dtype=torch.float64).exponential_().log()
    counts = torch.bincount(_ancestors(log_weights.expand(40_000, 5), gumbel).flatten(), minlength=5)
    expected = 40_000 * 5 * log_weights.softmax(-1)
    # The variance of a stratified count is at most that of an independent one.
    assert ((counts - expected).abs() < 5 * expected.sqrt()).all()


def test_extreme_noise_gives_valid_ancestors():
    gumbel = torch.tensor([[-4.0, 100.0, math.inf]])
    assert _ancestors(torch.tensor([[0.0, 0.0, -math.inf]]), gumbel).tolist() == [[0, 1, 1]]
    assert _ancestors(torch.tensor([[0.0, math.nan, 0.0]]), gumbel).max() <= 2, "the loss will be NaN"


def test_resampling_gradient_treats_ancestors_as_constants():
    """As in finite differences, the ancestors do not change: there is no score term of the resampling."""

    class Bounds(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self):
            return step_bounds(self.model, batch, noise)

    model = model_with(scale=0.3, dim=2, width=3, samples=3, resampling=True)
    batch = pack(encode(["to", "a"]), torch.arange(2))
    noise = draw_noise(model, batch)
    names, values = zip(*Bounds().named_parameters(), strict=True)
    assert torch.autograd.gradcheck(
        lambda *given: functional_call(Bounds(), dict(zip(names, given, strict=True)), ()), values
    )


@pytest.mark.parametrize("changes", [{"samples": 3, "resampling": True}, {"transition": "spline"}])
def test_models_that_the_fused_pass_does_not_support_use_the_modules(changes, caplog):
    model = model_with(scale=0.1, **changes).float()
    batch = pack(encode(["deep", "state"]), torch.arange(2))
    torch.manual_seed(0)
    found = bound(model, batch)
    torch.manual_seed(0)
    assert not is_fused(model)
    torch.testing.assert_close(found, step_bounds(model, batch, draw_noise(model, batch)).sum())
    assert not caplog.text


def test_equal_flows_have_jacobian_determinant_one():
    """For F_g = F_q, s is the identity: zeta = xi and the determinant of J_s is one (Sec. 2.3)."""
    model = model_with(transition="diag", parametrization="forward")
    model.generative.load_state_dict(model.variational.state_dict())
    state, xi = torch.randn(4, 8, dtype=torch.float64), torch.randn(4, 3, 8, dtype=torch.float64)
    h, log_det_q = call_and_ladj(model.variational(state), xi)
    zeta, log_det_inverse = call_and_ladj(model.generative(state).inv, h)
    torch.testing.assert_close(zeta, xi)
    torch.testing.assert_close(log_det_q + log_det_inverse, torch.zeros(4, 3, dtype=torch.float64))


@pytest.mark.parametrize("transition", ["tril", "diag", "real-nvp", "spline"])
def test_weight_is_joint_density_over_proposal_density(transition):
    """Eq. (9) in noise space equals P(w|h) p(h|h') / q(h) in state space (Eqs. 7-8)."""
    masks = (2, 5) if transition == "real-nvp" else ()
    model = model_with(transition=transition, masks=masks, samples=4)
    state, context = torch.randn(3, 8, dtype=torch.float64), torch.randn(3, 16, dtype=torch.float64)
    letters = torch.tensor([END, 3, 26])
    proposal = torch.randn(3, 4, 8, dtype=torch.float64)
    q = model.inference(state, context, proposal)
    xi, log_q = q.rsample_with_log_prob()
    h, log_det_q = call_and_ladj(model.variational(state), xi)
    zeta, log_det_inverse = call_and_ladj(model.generative(state).inv, h)
    likelihood = model.log_likelihood(h, letters)
    normal = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    p_h = normal.log_prob(zeta).sum(-1) + log_det_inverse
    flow = model.variational(state)
    noise = torch.distributions.Normal(flow.shift + flow.scale * q.loc, flow.scale.abs() * q.log_scale.exp())
    q_h = noise.log_prob(h).sum(-1)
    torch.testing.assert_close(
        log_weight(likelihood, zeta, log_q, log_det_q, -log_det_inverse), likelihood + p_h - q_h
    )
    expected = torch.log_softmax(model.emission(h), -1)[torch.arange(3), :, letters]
    torch.testing.assert_close(likelihood, expected)


def test_weighted_bound_is_the_log_of_the_mean_weight():
    log_weights = torch.randn(5, 7, dtype=torch.float64)
    torch.testing.assert_close(weighted_bound(log_weights), log_weights.exp().mean(1).log())


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("inference", ["backward", "bidirectional"])
def test_every_parameter_of_the_model_gets_a_gradient(samples, inference):
    model = model_with(samples=samples, inference=inference, layers=2)
    batch = pack(encode(["hello", "a", "world", "of", "words"]), torch.arange(5))
    bound(model, batch).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
        assert torch.isfinite(parameter.grad).all(), name


def test_single_sample_shortcut_equals_the_general_algorithm():
    """K = 1 weights all steps at once; step by step the same noise must give the same bound."""
    model = model_with(samples=1)
    batch = pack(encode(["deep", "state", "a"]), torch.arange(3))
    noise = draw_noise(model, batch)
    fast = step_bounds(model, batch, noise)
    context, state, slow = model.inference.context(batch), model.initial_state(3), []
    for rows in batch.packing.steps():
        state = state[: rows.stop - rows.start]
        xi, log_q = model.inference(state, context[rows]).rsample_with_log_prob(noise.posterior[rows])
        h, log_det_q = call_and_ladj(model.variational(state), xi)
        zeta, log_det_inverse = call_and_ladj(model.generative(state).inv, h)
        likelihood = model.log_likelihood(h, batch.letters[rows])
        slow.append(log_weight(likelihood, zeta, log_q, log_det_q, -log_det_inverse)[:, 0])
        state = h[:, 0]
    torch.testing.assert_close(fast, torch.cat(slow))
