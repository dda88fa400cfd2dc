"""The metrics of one trained model in Tables 2-8 and the figures, as lists with one value per evaluation."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.data.batches import evaluation_batches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.data.vocabulary import Vocabulary
from textlvm.sentences.evaluation import aggregated_posterior, likelihood
from textlvm.sentences.evaluation.autoencoding import (
    collect,
    decode,
    encode,
    log_likelihood,
    sample_indices,
    subset,
)
from textlvm.sentences.evaluation.bleu import bleu1, readings
from textlvm.sentences.evaluation.latent_entropy import nearest_neighbour_entropy, standard_normal_entropy
from textlvm.sentences.evaluation.likelihood import Bounds, perplexity, without_eos
from textlvm.sentences.evaluation.question_answering import distances, pairs, precision_and_reciprocal_rank
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models import answer_selection
from textlvm.sentences.models.answer_selection import AnswerSelector
from textlvm.sentences.models.autoencoder import SentenceModel
from textlvm.sentences.models.language_model import LanguageModel

__all__ = [
    "EvaluationResult",
    "answer_selector",
    "autoencoder",
    "by_metric",
    "language_model",
    "latent_variable_model",
    "ranked_answers",
]

Floats = NDArray[np.float64]

PAIRS = 2000
"""Maximum number of sentences in the histograms of Figure 3."""


@dataclass(frozen=True)
class EvaluationResult:
    """The metrics and histograms of one model."""

    metrics: dict[str, list[float]]
    """The values of each metric: one per evaluation, or a single one if nothing is sampled."""
    histograms: dict[str, Any]
    """Values by sentence for Figures 3 and 5-8."""


@dataclass(frozen=True)
class SampledCodes:
    """One code of every test sentence."""

    z: Tensor
    """(N, d)"""
    log_q: Floats
    """(N,) log q(z|x)."""
    words: Floats
    """(N,) log p(x|z) of the words."""


def latent_variable_model(
    model: SentenceModel,
    test: SentenceSet,
    train: SentenceSet,
    settings: EvaluationSpec,
    rng: np.random.Generator,
) -> EvaluationResult:
    """sMIM and sVAE: bounds under every prior, reconstructions, entropy of codes, Figures 3 and 5-8."""
    device = next(model.parameters()).device
    posterior = encode(model, test, settings.batch)
    prior = encode(model, subset(train, settings.train_codes, rng), settings.batch)
    kl = posterior.to(torch.float64).kl_to_standard_normal().numpy()
    on_device, prior_on_device = posterior.to(device), prior.to(device)

    def one_sample() -> tuple[SampledCodes, Floats]:
        z, log_q = posterior.rsample_with_log_prob()
        words, end = log_likelihood(model, test, z, settings.batch)
        log_p_test = aggregated_posterior.log_prob(z.to(device), on_device).cpu()
        log_p_train = aggregated_posterior.log_prob(z.to(device), prior_on_device).cpu()
        costs = [(log_q - log_p).numpy() for log_p in (log_p_test, log_p_train)]
        return SampledCodes(z, log_q.numpy(), words), np.stack([words, end, *costs])

    values: list[dict[str, float]] = []
    words_of_repeats = []
    for repeat in range(settings.repeats):
        samples = [one_sample() for _ in range(settings.samples)]
        words, end, test_cost, train_cost = np.mean([scores for _, scores in samples], axis=0)
        words_of_repeats.append(words)
        bounds = likelihood.metrics(Bounds(test.lengths, words, end, kl, test_cost, train_cost))
        last = samples[-1][0]
        values.append(bounds | _sampled_bleu(model, test, last.z, settings) | _entropy(last.z, settings, rng))
        logging.info(
            "evaluation %d of %d: MELBO %.3f nats", repeat + 1, settings.repeats, bounds["nll_melbo"]
        )
    metrics = by_metric(values)
    if settings.reference_ppl is not None:
        nll = math.log(settings.reference_ppl) * float(np.mean(test.lengths + 1))
        matching = [likelihood.matching_samples(bound, len(test), nll) for bound in metrics["nll_melbo"]]
        metrics["matching_samples"] = matching
    if settings.as_quoted:
        metrics |= {"nll": metrics["nll_elbo_eos"], "ppl": metrics["ppl_elbo_eos"]}
    # The closed form has the same value in every evaluation.
    metrics["kld"] = metrics["kld"][:1]
    metrics |= _greedy_bleu(model, test, posterior, settings)
    metrics |= _normal_entropies(posterior.loc.shape, settings, rng)
    average = np.mean(words_of_repeats, axis=0)
    histograms = {
        "elbo": _rounded(average - kl),
        "melbo": _rounded(average - math.log(len(test))),
        "pairs": _pairs(model, test, posterior, last, settings, rng),
    }
    return EvaluationResult(metrics, histograms)


def autoencoder(
    model: SentenceModel, test: SentenceSet, settings: EvaluationSpec, rng: np.random.Generator
) -> EvaluationResult:
    """AE: codes are posterior means, so there are no bounds, only reconstructions and entropy."""
    posterior = encode(model, test, settings.batch)
    z = posterior.loc
    words, _ = log_likelihood(model, test, z, settings.batch)
    metrics = by_metric([_sampled_bleu(model, test, z, settings) for _ in range(settings.repeats)])
    metrics |= by_metric([_entropy(z, settings, rng) | {"reconstruction": -float(words.mean())}])
    metrics |= _greedy_bleu(model, test, posterior, settings)
    return EvaluationResult(metrics | _normal_entropies(z.shape, settings, rng), {})


def language_model(model: LanguageModel, test: SentenceSet, settings: EvaluationSpec) -> EvaluationResult:
    """LSTM-LM: the exact likelihood. `nll` and `ppl` count <eos> as a word, as in the quoted papers.

    `nll_without_eos` and `ppl_without_eos` are comparable with the other rows of Tables 2-5.
    """
    words, end = np.empty(len(test)), np.empty(len(test))
    device = next(model.parameters()).device
    with torch.no_grad():
        for index, batch in evaluation_batches(test, settings.batch):
            scores = model.log_likelihood(batch.to(device))
            words[index], end[index] = (score.double().cpu().numpy() for score in scores)
    lengths = test.lengths
    metrics = {
        "nll": -float((words + end).mean()),
        "ppl": perplexity(-words - end, lengths + 1),
    } | without_eos(words, lengths)
    return EvaluationResult({name: [value] for name, value in metrics.items()}, {})


def ranked_answers(
    model: SentenceModel,
    questions: Sequence[CodedQuestion],
    vocabulary: Vocabulary,
    settings: EvaluationSpec,
    deterministic: bool,
) -> EvaluationResult:
    """P@1 and MRR of sMIM and of AE (`deterministic`), which were not trained on ranked answers."""
    both = pairs(questions, vocabulary)
    known, unknown = (
        encode(model, collect(sentences), settings.batch) for sentences in (both.known, both.unknown)
    )
    values = []
    for _ in range(1 if deterministic else settings.repeats):
        if deterministic:
            scores = distances(known.loc, unknown.loc, None)
        else:
            codes = [posterior.rsample_with_log_prob()[0] for posterior in (known, unknown)]
            scores = distances(*codes, unknown.log_scale.exp())
        values.append(_ranks(both.by_question(scores), both.best))
    return EvaluationResult(by_metric(values), {})


def answer_selector(
    model: AnswerSelector, questions: Sequence[CodedQuestion], settings: EvaluationSpec
) -> EvaluationResult:
    """P@1 and MRR of AP-BiLSTM, AP-CNN and HyperQA, by their scores."""
    similarity = answer_selection.scores(model, questions, settings.batch)
    best = np.array([question.best for question in questions])
    return EvaluationResult(by_metric([_ranks([-scores for scores in similarity], best)]), {})


def _sampled_bleu(
    model: SentenceModel, test: SentenceSet, z: Tensor, settings: EvaluationSpec
) -> dict[str, float]:
    """BLEU of sentences sampled from codes z (N, d), in the readings that differ in <eos>.

    Words are drawn from p(x|z), as in the authors' demo; the paper mentions greedy decoding as a modification
    (Sec. 4.6).
    """
    decoded = decode(model, z, settings.batch, "sample", settings.max_length)
    return readings([codes.tolist() for codes in test], decoded, settings.max_length)


def _greedy_bleu(
    model: SentenceModel, test: SentenceSet, posterior: DiagonalNormal, settings: EvaluationSpec
) -> dict[str, list[float]]:
    """BLEU of greedy decoding from the posteriors' means."""
    decoded = decode(model, posterior.loc, settings.batch, "greedy", settings.max_length)
    return {"bleu1_greedy": [bleu1([codes.tolist() for codes in test], decoded)]}


def _entropy(z: Tensor, settings: EvaluationSpec, rng: np.random.Generator) -> dict[str, float]:
    chosen = z[torch.from_numpy(sample_indices(len(z), settings.entropy_codes, rng))].double().numpy()
    return {"latent_entropy": nearest_neighbour_entropy(chosen, settings.entropy_neighbours)}


def _normal_entropies(
    shape: Sequence[int], settings: EvaluationSpec, rng: np.random.Generator
) -> dict[str, list[float]]:
    """The entropy of N(0, I), exact and as estimated from the same number of codes."""
    codes = rng.standard_normal((min(shape[0], settings.entropy_codes), shape[1]))
    return {
        "normal_entropy": [standard_normal_entropy(shape[1])],
        "normal_entropy_estimated": [nearest_neighbour_entropy(codes, settings.entropy_neighbours)],
    }


def _pairs(
    model: SentenceModel,
    test: SentenceSet,
    posterior: DiagonalNormal,
    drawn: SampledCodes,
    settings: EvaluationSpec,
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    """Figure 3: log p(x_i|z_j) and log q(z_i|x_j), for j = i and for one other j per i.

    At most `PAIRS` sentences are used: more take long to score and do not change the histogram visibly.
    """
    chosen = sample_indices(len(test), PAIRS, rng)
    # A random cycle through all sentences pairs no sentence with itself.
    cycle = rng.permutation(chosen)
    other = np.empty(len(test), np.int64)
    other[cycle] = np.roll(cycle, 1)
    other = other[chosen]
    others = posterior[other].to(torch.float64)
    some = collect([test[i] for i in chosen])
    return {
        "log_p_same": _rounded(drawn.words[chosen]),
        "log_p_other": _rounded(log_likelihood(model, some, drawn.z[other], settings.batch)[0]),
        "log_q_same": _rounded(drawn.log_q[chosen]),
        "log_q_other": _rounded(others.log_prob(drawn.z[chosen].double()).numpy()),
    }


def _ranks(scores: Sequence[Floats], best: NDArray[np.int64]) -> dict[str, float]:
    return dict(zip(("p_at_1", "mrr"), precision_and_reciprocal_rank(scores, best), strict=True))


def by_metric(values: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """The values of each metric, from the metrics of each evaluation."""
    return {name: [of_repeat[name] for of_repeat in values] for name in values[0]}


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return np.round(values, 3).tolist()
