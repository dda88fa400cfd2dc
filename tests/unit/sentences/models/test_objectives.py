"""Objectives: noise, KL weight, free bits, pretraining and validation."""

import math

import numpy as np
import pytest
import torch

from textlvm.distributions import standard_normal_log_prob
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.batches import pack
from textlvm.sentences.data.vocabulary import SOS
from textlvm.sentences.models import objectives
from textlvm.sentences.models.autoencoder import build
from textlvm.sentences.models.objectives import densities, loss


@pytest.fixture
def corpus(sentence_set, random_sentences):
    return sentence_set(random_sentences([3, 5, 2, 7, 4, 1, 6, 3, 2, 5, 12]))


def test_densities_use_one_code_per_sentence(model_spec, corpus):
    model = build(model_spec(), 20).double()
    batch = pack(list(corpus))
    torch.manual_seed(5)
    at = densities(model, batch, "smim")
    torch.manual_seed(5)
    posterior = model.encode(batch)
    z, _ = posterior.rsample_with_log_prob()
    torch.testing.assert_close(at.log_likelihood, sum(model.log_likelihood(batch, z)))
    torch.testing.assert_close(at.log_posterior, posterior.log_prob(z))
    torch.testing.assert_close(at.log_anchor, standard_normal_log_prob(z))
    expected = -(at.log_likelihood + 0.5 * (at.log_posterior + at.log_anchor)).mean()
    torch.testing.assert_close(loss("smim", at), expected)
    torch.testing.assert_close(at.kl, posterior.kl_to_standard_normal())
    torch.testing.assert_close(loss("svae", at, 0.3), (0.3 * at.kl - at.log_likelihood).mean())
    torch.manual_seed(5)
    sampled = densities(model, batch, "svae", kl="sampled")
    torch.testing.assert_close(sampled.kl, at.log_posterior - at.log_anchor)
    torch.testing.assert_close(sampled.log_likelihood, at.log_likelihood)


def test_autoencoder_loss_is_deterministic(model_spec, corpus):
    model = build(model_spec(objective="ae"), 20)
    batch = pack(list(corpus))
    first, second = (loss("ae", densities(model, batch, "ae")) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, -sum(model.log_likelihood(batch, model.encode(batch).loc)).mean())


@pytest.mark.parametrize("kl", ["closed", "sampled"])
def test_kl_weight_grows_with_the_step(kl, model_spec, training_spec, corpus):
    """If all posteriors are N(mu, 1) with large mu, the loss changes only by the weighted KL term."""
    torch.manual_seed(0)
    model = build(model_spec(objective="svae"), 20)
    for parameter in (model.log_variance.weight, model.log_variance.bias, model.decoder.layer.weight_ih_l0):
        parameter.data.zero_()
    model.initial.weight.data.zero_()
    model.mean.bias.data.fill_(100.0)
    spec = training_spec(kl=kl, kl_offset=10, batch=11, max_length=None)
    trained = objectives.autoencoder(model, "svae", spec, corpus, corpus, seed=1)
    values = [trained.objective.loss(step).item() for step in (1, 3, 11, 20)]
    exact = 5 * 100.0**2 / 2
    assert [round((value - values[0]) / exact, 1) for value in values] == [0.0, 0.2, 1.0, 1.0]


@pytest.mark.parametrize("objective", ["smim", "svae", "ae"])
def test_validation_is_deterministic_and_does_not_affect_training(
    objective, model_spec, training_spec, corpus
):
    model = build(model_spec(objective=objective, dropout=0.5), 20)
    trained = objectives.autoencoder(model, objective, training_spec(kl_offset=9), corpus, corpus, seed=1)
    assert trained.epoch == 3
    torch.manual_seed(0)
    before = float(trained.objective.loss(1))
    torch.manual_seed(0)
    first = trained.objective.monitor()
    assert model.training
    assert first == trained.objective.monitor()
    assert before == float(trained.objective.loss(1))
    error, kl = first["validation_reconstruction"], first.get("validation_kl")
    assert error > 0
    if objective == "ae":
        assert first["validation_loss"] == error
        assert kl is None
    if objective == "svae":
        assert first["validation_loss"] == pytest.approx(error + kl)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_validation_loss_of_language_model_is_its_exact_nll(cell, model_spec, training_spec, corpus):
    model = build(model_spec(objective="lm", cell=cell, dropout=0.5), 20)
    trained = objectives.language_model(model, training_spec(), corpus, corpus, seed=1)
    model.eval()
    exact = -sum(float(sum(model.log_likelihood(pack([s])))) for s in corpus) / len(corpus)
    assert trained.objective.monitor() == {"validation_loss": pytest.approx(exact, rel=1e-5)}
    assert math.isfinite(float(trained.objective.loss(1)))


def test_loss_without_free_bits_and_pretraining(model_spec, training_spec, corpus):
    model = build(model_spec(objective="svae"), 20)
    spec = training_spec(kl="closed", kl_offset=9, batch=11, max_length=None)
    trained = objectives.autoencoder(model, "svae", spec, corpus, corpus, seed=1)
    batch = pack(trained.inputs(4))
    torch.manual_seed(3)
    at = densities(model, batch, "svae")
    torch.manual_seed(3)
    assert torch.equal(trained.objective.loss(4), loss("svae", at, 3 / 9))
    assert trained.objective.pretraining == 0


def test_free_bits_stop_the_gradient_of_dimensions_below_their_share(model_spec, corpus):
    """Two of 5 dimensions have a KL term above a fifth of the target rate."""
    model = build(model_spec(objective="svae"), 20).double()
    with torch.no_grad():
        model.mean.weight.zero_()
        model.log_variance.weight.zero_()
        model.log_variance.bias.zero_()
        model.mean.bias.copy_(torch.tensor([0.5, 1.0, 2.0, 3.0, 0.0]))
    at = densities(model, pack(list(corpus)), "svae", free=5.0)
    # Half the square of the mean, or one nat.
    torch.testing.assert_close(at.kl, torch.full_like(at.kl, 1 + 1 + 2 + 4.5 + 1))
    gradient = torch.autograd.grad(at.kl.mean(), model.mean.bias)[0]
    torch.testing.assert_close(gradient, torch.tensor([0.0, 0.0, 2.0, 3.0, 0.0]).double())
    all_below = densities(model, pack(list(corpus)), "svae", free=50.0).kl.mean()
    assert not any(map(torch.count_nonzero, torch.autograd.grad(all_below, list(model.encoder.parameters()))))


def test_hr_vae_equals_svae_for_one_encoder_step(model_spec, sentence_set):
    model = build(model_spec(objective="svae", cell="lstm"), 20).double()
    batch = pack([np.empty(0, np.int32)] * 3)
    results = []
    for objective in ("svae", "hr-vae"):
        torch.manual_seed(5)
        results.append(densities(model, batch, objective))
    torch.testing.assert_close(results[0].kl, results[1].kl)
    torch.testing.assert_close(loss("svae", results[0], 0.7), loss("hr-vae", results[1], 0.7))


@pytest.mark.parametrize("free", [0.0, 2.0])
def test_kl_term_of_hr_vae_is_the_mean_over_encoder_steps(free, model_spec, random_sentences):
    """The encoder reads the sentence in reverse; the code is drawn after the last step, which reads <sos>."""
    model = build(model_spec(objective="svae"), 20).double()
    sentences = random_sentences([4, 0, 2])
    batch = pack(sentences)
    torch.manual_seed(5)
    at = densities(model, batch, "hr-vae", free=free)
    torch.manual_seed(5)
    of_last = densities(model, batch, "svae", free=free)
    torch.testing.assert_close(at.log_likelihood, of_last.log_likelihood)
    for i, place in enumerate(batch.packing.order.tolist()):
        reads = torch.tensor([SOS, *sentences[place]]).flip(0)
        state, terms = torch.zeros(1, 11).double(), []
        for word in reads:
            state = model.encoder.step(model.embedding(word[None]), state)
            kl = model._posterior(state).kl_by_dimension()
            terms.append(float(kl.clamp(min=free / 5).sum()))
        assert float(at.kl[i]) == pytest.approx(sum(terms) / len(terms))


def test_hr_vae_trains_every_parameter_and_requires_closed_kl(model_spec, training_spec, corpus):
    model = build(model_spec(objective="svae", cell="lstm"), 20)
    trained = objectives.autoencoder(model, "hr-vae", training_spec(kl="closed"), corpus, corpus, seed=1)
    trained.objective.loss(1).backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in model.parameters())
    first = trained.objective.monitor()
    expected = first["validation_reconstruction"] + first["validation_kl"]
    assert first["validation_loss"] == pytest.approx(expected)
    with pytest.raises(UserError, match=r"hr-vae has a KL term in closed form: set training\.kl to closed"):
        objectives.autoencoder(model, "hr-vae", training_spec(kl="sampled"), corpus, corpus, seed=1)


def test_validation_has_no_free_bits(model_spec, training_spec, corpus):
    model = build(model_spec(objective="svae"), 20)
    found = [
        objectives.autoencoder(
            model, "svae", training_spec(kl="closed", free_bits=rate), corpus, corpus, seed=1
        ).objective.monitor()
        for rate in (0.0, 80.0)
    ]
    assert found[0] == found[1]


def test_free_bits_with_sampled_kl_are_rejected(model_spec, training_spec, corpus):
    model = build(model_spec(objective="svae"), 20)
    with pytest.raises(UserError, match=r"set training\.kl to closed"):
        objectives.autoencoder(model, "svae", training_spec(free_bits=1.0), corpus, corpus, seed=1)


def test_pretraining_trains_an_autoencoder_and_then_resets_the_decoder(model_spec, training_spec, corpus):
    model = build(model_spec(objective="svae"), 20)
    spec = training_spec(kl="closed", kl_offset=10, pretrain=2, max_length=None)
    both = (
        objectives.autoencoder(model, "svae", spec, corpus, corpus, seed=1),
        objectives.autoencoder(model, "ae", training_spec(max_length=None), corpus, corpus, seed=1),
    )
    assert both[0].objective.pretraining == 6
    for step in range(1, 7):
        assert torch.equal(*(trained.objective.loss(step) for trained in both))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(4)
    value = both[0].objective.loss(7)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if name.startswith(("decoder.", "initial.", "output."))}
    # The new weights have the same distributions, and the weight of the KL term begins at zero.
    for name in changed:
        assert 0.3 < float(model.state_dict()[name].std() / before[name].std()) < 3
    torch.manual_seed(4)
    model.reset_decoder()
    expected = loss("svae", densities(model, pack(both[0].inputs(7)), "svae"), 0.0)
    assert torch.equal(value, expected)
