"""The metrics of iVAE_MI in Table 2, which has an implicit posterior."""

import logging
import math

import numpy as np
import torch

from textlvm.sentences.data.batches import evaluation_batches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.evaluation.bleu import readings
from textlvm.sentences.evaluation.likelihood import of_words, of_words_and_eos, perplexity
from textlvm.sentences.evaluation.measures import EvaluationResult, by_metric
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models.implicit import ImplicitModel, dual_bound

__all__ = ["measure"]

logger = logging.getLogger(__name__)


@torch.no_grad()
def measure(model: ImplicitModel, test: SentenceSet, settings: EvaluationSpec) -> EvaluationResult:
    """Bounds and reconstructions from `repeats` evaluations with different codes.

    kld                         the dual network's estimate of KL(q(z|x) || N(0, I)), as the authors report it
    nll, ppl                    with this estimate and <eos> counted as a word, as the authors report them.
                                They are too low, because the estimate is a lower bound on the divergence, and
                                are omitted if it is negative, which no divergence is
    kld_closed                  the same divergence in closed form
    nll_elbo, nll_melbo, ...    bounds with the closed form and with log N, comparable with the other rows
    """
    metrics = by_metric([_evaluate_once(model, test, settings) for _ in range(settings.repeats)])
    # The closed form has the same value in every evaluation.
    metrics["kld_closed"] = metrics["kld_closed"][:1]
    if min(metrics["kld"]) < 0:
        logger.warning("no NLL and no perplexity: the estimate of the KL divergence is negative")
        del metrics["nll"], metrics["ppl"]
    return EvaluationResult(metrics, {})


def _evaluate_once(model: ImplicitModel, test: SentenceSet, settings: EvaluationSpec) -> dict[str, float]:
    """One evaluation with averages over `samples` codes per sentence, of which the last is decoded."""
    device = next(model.parameters()).device
    words, end, closed = (np.zeros(len(test)) for _ in range(3))
    decoded: list[list[int]] = [[] for _ in range(len(test))]
    estimate = 0.0
    for index, packed in evaluation_batches(test, settings.batch):
        batch = packed.to(device)
        summary = model.summarize(batch)
        closed[index] = model.kl_to_standard_normal(summary).double().cpu().numpy()
        for _ in range(settings.samples):
            z = model.rsample(summary)
            for total, score in zip((words, end), model.log_likelihood(batch, z), strict=True):
                total[index] += score.double().cpu().numpy() / settings.samples
            bound = dual_bound(model.dual(z, summary), model.dual(torch.randn_like(z), summary))
            estimate += float(bound) * len(index) / (len(test) * settings.samples)
        for i, sentence in zip(index, model.decode(z, "sample", (), settings.max_length), strict=True):
            decoded[i] = sentence
    lengths = test.lengths
    with_end = -words - end
    result = {
        "reconstruction": -float(words.mean()),
        "kld": estimate,
        "kld_closed": float(closed.mean()),
        "nll": float(with_end.mean()) + estimate,
        "ppl": perplexity(with_end + estimate, lengths + 1),
    }
    result |= of_words_and_eos("elbo", with_end + closed, lengths)
    result |= of_words("elbo", closed - words, lengths)
    result |= of_words("melbo", math.log(len(test)) - words, lengths)
    return result | readings([codes.tolist() for codes in test], decoded, settings.max_length)
