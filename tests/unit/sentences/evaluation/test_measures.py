import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from sentence_specs import EVALUATION
from textlvm.distributions import DiagonalNormal
from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.data.vocabulary import SPECIALS, Vocabulary
from textlvm.sentences.evaluation import measures
from textlvm.sentences.evaluation.autoencoding import collect, decode, encode, log_likelihood
from textlvm.sentences.evaluation.bleu import bleu1, readings
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models.language_model import LanguageModel

SETTINGS = EvaluationSpec(
    **EVALUATION
    | {"repeats": 4, "samples": 2, "batch": 7, "max_length": 9, "train_codes": 1000, "entropy_codes": 1000}
)
WORDS = 9


class OneDimension(nn.Module):
    """A model with one latent dimension and words independent given z, for integration on a grid."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.slope = nn.Parameter(torch.randn(WORDS, generator=generator))
        self.offset = nn.Parameter(torch.randn(WORDS, generator=generator))

    def log_probs(self, z):
        return (z * self.slope + self.offset).log_softmax(-1)

    def encode(self, batch):
        lengths = batch.packing.sums(torch.ones_like(batch.targets, dtype=torch.float32))
        loc = batch.packing.sums(self.slope[batch.targets]) / lengths.sqrt()
        return DiagonalNormal(loc[:, None], -0.5 * lengths.log()[:, None])

    def log_likelihood(self, batch, z):
        rows = batch.packing.spread(self.log_probs(z))
        scores = rows.gather(1, batch.targets[:, None]).squeeze(1)
        end = scores[batch.packing.last]
        return batch.packing.sums(scores) - end, end

    def decode(self, z, method, forbid, max_length):
        assert method in ("greedy", "sample")
        return [[4 + int(value > 0)] * min(3, max_length) for value in z[:, 0]]

    def exact(self, sentences, log_prior):
        """log of the integral of p(words|z) p(z), by the trapezoidal rule: (N,)."""
        grid = torch.linspace(-9, 9, 6001)
        log_probs = self.log_probs(grid[:, None]).double()
        scores = [log_probs[:, torch.from_numpy(codes).long()].sum(1) for codes in sentences]
        weights = log_prior(grid.double()) + math.log(18 / 6000)
        return torch.stack([(score + weights).logsumexp(0) for score in scores]).detach().numpy()


@pytest.fixture
def toy():
    return OneDimension()


@pytest.fixture
def sets(random_sentences):
    lengths = np.random.default_rng(3).integers(1, 9, 40)
    return (
        collect(random_sentences(lengths, WORDS, seed=1)),
        collect(random_sentences(lengths[:25], WORDS, seed=2)),
    )


def normal(grid):
    return -0.5 * grid**2 - 0.5 * math.log(2 * math.pi)


def mixture(posterior):
    def log_prior(grid):
        loc, log_scale = posterior.loc.double(), posterior.log_scale.double()
        noise = (grid - loc) / log_scale.exp()
        return (normal(noise) - log_scale).logsumexp(0) - math.log(len(loc))

    return log_prior


def measured(toy, sets, **changes):
    torch.manual_seed(0)
    settings = dataclasses.replace(SETTINGS, **changes)
    return measures.latent_variable_model(toy, *sets, settings, np.random.default_rng(0))


def test_every_nll_is_slightly_above_the_exact_nll_under_its_prior(toy, sets):
    found = {name: np.mean(values) for name, values in measured(toy, sets, samples=50).metrics.items()}
    test = sets[0]
    posteriors = [encode(toy, sentences, 7) for sentences in sets]
    exact = {
        "nll_elbo": -toy.exact(test, normal).mean(),
        "nll_melbo": -toy.exact(test, mixture(posteriors[0])).mean(),
        "nll_test_prior": -toy.exact(test, mixture(posteriors[0])).mean(),
        "nll_train_prior": -toy.exact(test, mixture(posteriors[1])).mean(),
    }
    for name, nll in exact.items():
        assert nll - 0.02 < found[name] < nll + (5 if name == "nll_melbo" else 1.5), name
    assert found["nll_test_prior"] < found["nll_melbo"]


def test_elbo_minus_melbo_is_kld_minus_log_n(toy, sets):
    metrics = measured(toy, sets).metrics
    for elbo, melbo in zip(metrics["nll_elbo"], metrics["nll_melbo"], strict=True):
        assert elbo - melbo == pytest.approx(metrics["kld"][0] - math.log(len(sets[0])), abs=1e-9)
    assert len(metrics["nll_elbo"]) == SETTINGS.repeats
    assert len(set(metrics["nll_elbo"])) == SETTINGS.repeats


def test_batch_size_does_not_change_metrics(toy, sets):
    one, other = (measured(toy, sets, batch=size) for size in (3, 100))
    assert one.metrics.keys() == other.metrics.keys()
    for name, values in one.metrics.items():
        assert values == pytest.approx(other.metrics[name], rel=1e-4), name


def test_results_are_in_the_order_of_sentences(toy, sets):
    test = sets[0]
    posterior = encode(toy, test, 7)
    words, end = log_likelihood(toy, test, posterior.loc, 7)
    for i, codes in enumerate(test):
        single = encode(toy, collect([codes]), 7)
        assert single.loc == pytest.approx(posterior.loc[i : i + 1], abs=1e-5)
        log_probs = toy.log_probs(posterior.loc[i]).detach()
        assert words[i] == pytest.approx(float(log_probs[torch.from_numpy(codes).long()].sum()), abs=1e-4)
        assert end[i] == pytest.approx(float(log_probs[2]), abs=1e-4)
    z = torch.linspace(-1, 1, 40)[:, None]
    assert decode(toy, z, 7, "greedy", 9) == [[4] * 3] * 20 + [[5] * 3] * 20


def test_histogram_values_average_to_the_metrics(toy, sets):
    found = measured(toy, sets)
    for bound in ("elbo", "melbo"):
        mean = np.mean(found.metrics[f"nll_{bound}"])
        assert -np.mean(found.histograms[bound]) == pytest.approx(mean, abs=1e-3)
    assert set(found.histograms["pairs"]) == {"log_p_same", "log_p_other", "log_q_same", "log_q_other"}
    assert all(len(values) == len(sets[0]) for values in found.histograms["pairs"].values())


def test_other_code_of_a_pair_belongs_to_another_sentence(toy, sets, monkeypatch):
    distant = DiagonalNormal(1000.0 * torch.arange(40.0)[:, None], torch.zeros(40, 1))
    monkeypatch.setattr(measures, "encode", lambda *_: distant)
    z, log_q = distant.rsample_with_log_prob()
    drawn = measures.SampledCodes(z, log_q.numpy(), np.arange(40.0))
    for most in (40, 7):
        monkeypatch.setattr(measures, "PAIRS", most)
        for seed in range(5):
            pairs = measures._pairs(toy, sets[0], distant, drawn, SETTINGS, np.random.default_rng(seed))
            assert all(len(values) == most for values in pairs.values())
            assert max(pairs["log_q_other"]) < -1000
            assert min(pairs["log_q_same"]) > -20


def test_pairs_use_the_given_codes(toy, sets):
    test, posterior = sets[0], encode(toy, sets[0], 7)
    torch.manual_seed(2)
    z, log_q = posterior.rsample_with_log_prob()
    words = log_likelihood(toy, test, z, 7)[0]
    drawn = measures.SampledCodes(z, log_q.numpy(), words)
    pairs = measures._pairs(toy, test, posterior, drawn, SETTINGS, np.random.default_rng(0))
    assert pairs["log_p_same"] == pytest.approx(words, abs=1e-3)
    assert pairs["log_q_same"] == pytest.approx(posterior.log_prob(z).numpy(), abs=1e-3)
    # Every other score is that of the sentence with one of the codes.
    scores = torch.stack([toy.log_probs(code).detach() for code in z])
    for i, codes in enumerate(test):
        of_codes = scores[:, torch.from_numpy(codes).long()].sum(1)
        assert min(abs(of_codes - pairs["log_p_other"][i])) < 2e-3


def test_quoted_metrics_and_matching_samples_are_optional(toy, sets):
    metrics = measured(toy, sets, as_quoted=True, reference_ppl=5.0).metrics
    assert metrics["nll"] == metrics["nll_elbo_eos"]
    assert metrics["ppl"] == metrics["ppl_elbo_eos"]
    reference = math.log(5) * np.mean(sets[0].lengths + 1)
    expected = [40 * math.exp(reference - nll) for nll in metrics["nll_melbo"]]
    assert metrics["matching_samples"] == pytest.approx(expected)
    assert not measured(toy, sets).metrics.keys() & {"nll", "ppl", "matching_samples"}


def test_train_codes_limits_the_train_prior(toy, sets):
    few = measured(toy, sets, train_codes=5).metrics["nll_train_prior"]
    assert few != pytest.approx(measured(toy, sets).metrics["nll_train_prior"], abs=1e-3)


def test_autoencoder_decodes_posterior_means(toy, sets):
    torch.manual_seed(0)
    found = measures.autoencoder(toy, sets[0], SETTINGS, np.random.default_rng(0)).metrics
    z = encode(toy, sets[0], 7).loc
    assert found["reconstruction"] == [pytest.approx(-log_likelihood(toy, sets[0], z, 7)[0].mean())]
    reconstructions = [[4 + int(value > 0)] * 3 for value in z[:, 0]]
    sentences = [codes.tolist() for codes in sets[0]]
    for name, value in readings(sentences, reconstructions, SETTINGS.max_length).items():
        assert found[name] == [pytest.approx(value)] * 4
    assert found["bleu1_greedy"] == [pytest.approx(bleu1(sentences, reconstructions))]
    assert len(found["latent_entropy"]) == 1
    assert not [name for name in found if name.startswith(("nll", "ppl", "kld"))]


def test_language_model_nll_includes_eos(model_spec, sets):
    torch.manual_seed(0)
    model = LanguageModel(model_spec(objective="lm", cell="lstm"), WORDS).eval()
    test = sets[0]
    found = {name: value for name, (value,) in measures.language_model(model, test, SETTINGS).metrics.items()}
    single = [measures.language_model(model, collect([codes]), SETTINGS).metrics for codes in test]
    assert found["nll"] == pytest.approx(np.mean([metrics["nll"][0] for metrics in single]), rel=1e-5)
    assert found["nll_without_eos"] < found["nll"]
    tokens = np.mean(test.lengths + 1)
    assert found["ppl"] == pytest.approx(math.exp(found["nll"] / tokens))
    assert found["ppl_without_eos"] == pytest.approx(math.exp(found["nll_without_eos"] / tokens))
    words = found["nll_without_eos"] / np.mean(test.lengths)
    assert found["ppl_per_word"] == pytest.approx(math.exp(words))


def test_answers_near_the_question_rank_first():
    class Counting(nn.Module):
        """The code is the number of occurrences of word 7 in the sentence."""

        def __init__(self):
            super().__init__()
            self.anchor = nn.Parameter(torch.zeros(1))

        def encode(self, batch):
            loc = batch.packing.sums((batch.targets == 7).float())
            return DiagonalNormal(loc[:, None], torch.full((len(batch), 1), -12.0))

    vocabulary = Vocabulary((*SPECIALS, "?", "a", "b", "c"), (0,) * 8)
    first, second = np.array([5, 6, 6], np.int32), np.array([7, 5], np.int32)
    questions = [
        CodedQuestion(np.array([5], np.int32), (first, second), 0),
        CodedQuestion(np.array([6], np.int32), (second, first), 1),
        CodedQuestion(np.array([6], np.int32), (second, first), 0),
    ]
    for deterministic, repeats in ((True, 1), (False, 4)):
        found = measures.ranked_answers(Counting(), questions, vocabulary, SETTINGS, deterministic).metrics
        assert found["p_at_1"] == [pytest.approx(2 / 3)] * repeats
        assert found["mrr"] == [pytest.approx(5 / 6)] * repeats
