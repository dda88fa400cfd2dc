"""The metrics of iVAE_MI in Table 2; its posterior is given only by samples."""

import math

import numpy as np
import torch

from textlvm.sentences.data.batches import evaluation_batches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.evaluation.bleu import readings
from textlvm.sentences.evaluation.likelihood import perplexity
from textlvm.sentences.evaluation.measures import EvaluationResult
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models.implicit import ImplicitModel, dual_bound

__all__ = ["measure"]


@torch.no_grad()
def measure(model: ImplicitModel, test: SentenceSet, settings: EvaluationSpec) -> EvaluationResult:
    """Bounds and reconstructions, each from `repeats` evaluations with codes of their own.

    kld                         the dual network's estimate of KL(q(z|x) || N(0, I)), as its authors report it
    nll, ppl                    with this term and <eos> counted as a word, as they report it. The estimate is
                                a lower bound on the divergence, so that these are too low, not upper bounds
    kld_closed                  the same divergence in closed form
    nll_elbo, nll_melbo, ...    bounds by the closed form and by log N, to be compared with the other rows
    """
    values = [_once(model, test, settings) for _ in range(settings.repeats)]
    metrics = {name: [of_repeat[name] for of_repeat in values] for name in values[0]}
    # A closed form is the same number in every evaluation.
    metrics["kld_closed"] = metrics["kld_closed"][:1]
    return EvaluationResult(metrics, {})


def _once(model: ImplicitModel, test: SentenceSet, settings: EvaluationSpec) -> dict[str, float]:
    """One evaluation, with the averages over `samples` codes a sentence; the last ones are decoded."""
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
        "nll_elbo_eos": float((with_end + closed).mean()),
        "ppl_elbo_eos": perplexity(with_end + closed, lengths + 1),
    }
    for name, cost in (("elbo", closed), ("melbo", math.log(len(test)))):
        nll = cost - words
        result[f"nll_{name}"] = float(nll.mean())
        result[f"ppl_{name}"] = perplexity(nll, lengths + 1)
        result[f"ppl_{name}_per_word"] = perplexity(nll, lengths)
    return result | readings([codes.tolist() for codes in test], decoded, settings.max_length)
