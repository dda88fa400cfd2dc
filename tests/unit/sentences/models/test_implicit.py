"""iVAE_MI: dual bounds compared with quadrature and closed forms, and their gradients."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from sentence_specs import EVALUATION
from textlvm.sentences import train
from textlvm.sentences.data.batches import pack
from textlvm.sentences.evaluation import implicit as evaluation
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models import objectives
from textlvm.sentences.models.autoencoder import build
from textlvm.sentences.models.implicit import LIMIT, DualNetwork, ImplicitModel, densities, dual_bound
from textlvm.training.checkpoint import load_weights, save_weights
from textlvm.training.schedule import RELATIVE_RATE


@pytest.fixture
def model(model_spec):
    torch.manual_seed(0)
    built = build(model_spec(objective="ivae"), 20)
    assert isinstance(built, ImplicitModel)
    return built


@pytest.fixture
def corpus(sentence_set, random_sentences):
    return sentence_set(random_sentences([3, 5, 2, 7, 4, 1, 6, 3, 2, 5, 12]))


def log_mixture(z):
    """q(z) = (N(z; -1, 0.3^2) + N(z; 1.5, 0.5^2)) / 2 in one dimension."""
    parts = [torch.distributions.Normal(loc, sd).log_prob(z) for loc, sd in ((-1.0, 0.3), (1.5, 0.5))]
    return torch.stack(parts).logsumexp(0) - math.log(2)


GRID = torch.linspace(-9, 9, 18_001, dtype=torch.float64)
LOG_PRIOR = torch.distributions.Normal(0.0, 1.0).log_prob(GRID)
LOG_Q = log_mixture(GRID)
KL = float(torch.trapezoid(LOG_Q.exp() * (LOG_Q - LOG_PRIOR), GRID))


def expected_bound(values):
    """The bound for values of nu on the grid, by quadrature."""
    return float(
        torch.trapezoid(LOG_Q.exp() * values, GRID)
        - torch.trapezoid(LOG_PRIOR.exp() * values.exp(), GRID)
        + 1
    )


def test_dual_bound_is_tight_only_at_the_log_density_ratio():
    ratio = LOG_Q - LOG_PRIOR
    assert expected_bound(ratio) == pytest.approx(KL, abs=1e-6)
    for other in (ratio + 0.3, 0.8 * ratio, torch.zeros_like(ratio)):
        assert expected_bound(other) < KL - 1e-3


def test_trained_dual_network_estimates_the_kl_divergence():
    torch.manual_seed(3)
    network = DualNetwork(1, units=64)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(1500):
        first = torch.rand(512, 1) < 0.5
        noise = torch.randn(512, 1)
        z = torch.where(first, -1 + 0.3 * noise, 1.5 + 0.5 * noise)
        loss = -dual_bound(network(z), network(torch.randn(512, 1)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found = network(GRID[:, None].float()).double()
    assert expected_bound(found) == pytest.approx(KL, rel=0.05)
    assert expected_bound(found) < KL


def test_dual_bound_and_its_gradients_are_finite_for_large_values():
    torch.manual_seed(0)
    network = DualNetwork(1, units=8)
    with torch.no_grad():
        network.layers[-1].bias.fill_(100.0)  # exp(100) is infinite in single precision
    bound = dual_bound(network(torch.randn(64, 1)), network(torch.randn(64, 1)))
    bound.backward()
    assert torch.isfinite(bound)
    squares = torch.stack([value.grad.square().sum() for value in network.parameters()])
    assert torch.isfinite(squares).all()
    assert squares.sum() > 0


def test_limit_changes_only_large_values():
    network = DualNetwork(1, units=8).double()
    z = torch.randn(64, 1, dtype=torch.float64)
    torch.testing.assert_close(network(z), network.layers(z).squeeze(1), rtol=0, atol=1e-12)
    with torch.no_grad():
        network.layers[-1].bias.fill_(1000.0)
        assert float(network(z).max()) == pytest.approx(LIMIT)


def test_autocast_does_not_round_the_dual_network():
    torch.manual_seed(0)
    network, z = DualNetwork(3, units=8), torch.randn(16, 3)
    expected = network(z)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network(z), expected)
        assert torch.equal(network.frozen(z), expected)


def test_closed_form_kl_agrees_with_multivariate_normal(model, corpus):
    model = model.double()
    summary = model.summarize(pack(list(corpus)))
    with torch.no_grad():
        factor = model.code.weight[:, -5:]
        means = summary @ model.code.weight[:, :-5].T + model.code.bias
        q = MultivariateNormal(means, factor @ factor.T)
        expected = kl_divergence(q, MultivariateNormal(torch.zeros(5).double(), torch.eye(5).double()))
    torch.testing.assert_close(model.kl_to_standard_normal(summary), expected)
    torch.manual_seed(1)
    codes = torch.stack([model.rsample(summary[:1]).detach()[0] for _ in range(20_000)])
    assert codes.mean(0) == pytest.approx(means[0].numpy(), abs=0.02)
    torch.testing.assert_close(codes.T.cov(), factor @ factor.T, atol=0.02, rtol=0.05)


def test_model_and_dual_networks_have_separate_gradients(model, training_spec, corpus):
    """One backward pass gives the gradients of both losses, each with the other's parameters fixed."""
    spec = training_spec(kl_schedule="linear", kl_offset=0, batch=11, max_length=None)
    trained = objectives.implicit(model, spec, corpus, corpus, seed=1)
    torch.manual_seed(2)
    loss = trained.objective.loss(1)
    loss.backward()
    found = {name: p.grad for name, p in model.named_parameters()}
    assert all(grad.isfinite().all() and grad.any() for grad in found.values())
    torch.manual_seed(2)
    batch = pack(trained.inputs(1))
    summary = model.summarize(batch)
    z = model.rsample(summary)
    likelihood = sum(model.log_likelihood(batch, z))
    prior = torch.randn_like(z)
    bound = dual_bound(model.aggregated_dual(z), model.aggregated_dual(prior))
    total = bound - likelihood.mean()
    assert float(loss.detach()) == pytest.approx(float(total.detach()), rel=1e-5)
    names = [name for name in found if "dual" not in name]
    gradients = torch.autograd.grad(total, [model.get_parameter(name) for name in names], retain_graph=True)
    for name, expected in zip(names, gradients, strict=True):
        torch.testing.assert_close(found[name], expected, atol=1e-6, rtol=1e-4)
    of_pairs = dual_bound(model.dual(z, summary), model.dual(prior, summary))
    ascent = torch.autograd.grad(-bound - of_pairs, model.dual_parameters())
    for parameter, expected in zip(model.dual_parameters(), ascent, strict=True):
        torch.testing.assert_close(parameter.grad, expected, atol=1e-6, rtol=1e-4)


def test_validation_is_deterministic(model, training_spec, corpus):
    trained = objectives.implicit(model, training_spec(kl_offset=9), corpus, corpus, seed=1)
    first = trained.objective.monitor()
    assert first == trained.objective.monitor()
    assert model.training
    assert first["validation_reconstruction"] > 0


def test_dual_networks_have_a_separate_learning_rate(model, training_spec):
    both = train.optimizer(training_spec(dual_rate=0.05), model).param_groups
    assert [group.get(RELATIVE_RATE) for group in both] == [None, 0.05]
    assert {id(p) for p in both[1]["params"]} == {id(p) for p in model.dual_parameters()}
    assert sum(len(group["params"]) for group in both) == len(list(model.parameters()))


def test_loaded_weights_give_the_same_densities(model, model_spec, corpus, tmp_path):
    save_weights(tmp_path / "model.safetensors", model)
    torch.manual_seed(9)
    other = build(model_spec(objective="ivae"), 20)
    load_weights(tmp_path / "model.safetensors", other)
    batch = pack(list(corpus))
    results = []
    for either in (model, other):
        torch.manual_seed(4)
        results.append(densities(either, batch))
    torch.testing.assert_close(results[0].log_likelihood, results[1].log_likelihood, rtol=0, atol=0)
    assert torch.equal(results[0].kl, results[1].kl)


def test_negative_estimate_gives_no_perplexity(model, corpus):
    """nu = 3 gives the bound 3 - e^3 + 1."""
    with torch.no_grad():
        for parameter in model.dual_parameters():
            parameter.zero_()
        model.dual.layers[-1].bias.fill_(3.0)
    metrics = evaluation.measure(model.eval(), corpus, EvaluationSpec(**EVALUATION)).metrics
    assert metrics["kld"] == pytest.approx([4 - math.e**3] * 2, rel=1e-5)
    assert {"nll", "ppl"}.isdisjoint(metrics)
    assert {"nll_elbo_eos", "ppl_elbo_eos"} <= metrics.keys()


def test_zero_dual_network_reports_zero_kld(model, corpus):
    """nu = 0 gives the bound 0; the other metrics use the closed form."""
    model.eval()
    with torch.no_grad():
        for parameter in model.dual_parameters():
            parameter.zero_()
    metrics = evaluation.measure(model, corpus, EvaluationSpec(**EVALUATION | {"samples": 2})).metrics
    torch.manual_seed(0)
    closed = model.kl_to_standard_normal(model.summarize(pack(list(corpus)))).detach()
    assert metrics["kld"] == pytest.approx([0, 0], abs=1e-6)
    assert metrics["kld_closed"] == pytest.approx([float(closed.mean())], rel=1e-5)
    words = float(corpus.lengths.mean())
    for nll, ppl, elbo, elbo_eos, melbo, error in zip(
        *(
            metrics[name]
            for name in ("nll", "ppl", "nll_elbo", "nll_elbo_eos", "nll_melbo", "reconstruction")
        ),
        strict=True,
    ):
        assert ppl == pytest.approx(math.exp(nll / (words + 1)))
        assert elbo_eos == pytest.approx(nll + float(closed.mean()), rel=1e-6)
        assert elbo == pytest.approx(error + float(closed.mean()), rel=1e-6)
        assert melbo == pytest.approx(error + math.log(11))
