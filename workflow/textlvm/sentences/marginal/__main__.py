"""Estimate the marginal likelihood of one trained run under priors that know no test sentence.

    python -m textlvm.sentences.marginal --data ptb/data --run ptb/smim-512/seed0 --settings '{…}' \\
        --out ptb/smim-512/seed0/likelihood.json

Writes OUT, a JSON object with

    importance    by prior, by number of codes K: the importance-weighted bound
    neighbours    by number of training codes, by number of neighbours: the bound by the nearest codes
    chosen        what was chosen on validation sentences: the proposal's width, components, the prior's width
    codes         what the codes say: mutual information, active units, KL by dimension

Bounds are negative log-likelihoods in nats a sentence, `nll` of the words alone and `nll_eos` of words and
<eos>, with perplexities by word (`ppl_per_word`) and with the published divisor, one more (`ppl`).
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.runtime import cli
from textlvm.runtime.files import write_json
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.evaluation.autoencoding import encode, log_likelihood, subset
from textlvm.sentences.evaluation.likelihood import perplexity
from textlvm.sentences.marginal import priors
from textlvm.sentences.marginal.codes import describe
from textlvm.sentences.marginal.importance import bounds_by_samples
from textlvm.sentences.marginal.nearest import bounds_by_neighbours, nearest
from textlvm.sentences.marginal.priors import CodePrior
from textlvm.sentences.marginal.spec import MarginalSpec
from textlvm.sentences.models.autoencoder import SentenceModel
from textlvm.sentences.trained import load
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training.precision import autocast
from textlvm.training.precision import choose as choose_precision
from textlvm.training.seeds import derive, seed_everything

__all__ = ["estimate"]


def estimate(
    model: SentenceModel,
    train: SentenceSet,
    valid: SentenceSet,
    test: SentenceSet,
    spec: MarginalSpec,
    deterministic: bool,
    seed: int,
) -> dict[str, Any]:
    """Estimate log P(x) as the entry point writes it; `deterministic`: codes are the encoder's means (AE)."""
    rng = np.random.default_rng(seed)
    train, valid = subset(train, spec.train_codes, rng), subset(valid, spec.validation_sentences, rng)
    of_train, of_valid, of_test = (encode(model, part, spec.batch) for part in (train, valid, test))
    if deterministic:
        of_train, of_valid, of_test = (
            DiagonalNormal(of.loc, torch.full_like(of.loc, -np.inf)) for of in (of_train, of_valid, of_test)
        )
    codes, held_out = (
        of.loc if deterministic else of.rsample_with_log_prob()[0] for of in (of_train, of_valid)
    )
    spread = codes.std(0)
    kept = torch.from_numpy(rng.permutation(len(train))[: spec.prior_codes])
    components = DiagonalNormal(of_train.loc[kept], of_train.log_scale[kept])
    # A component of no width has no density.
    widths = [width for width in spec.prior_widths if width or not deterministic]
    known = [
        priors.anchor(codes.shape[1]),
        priors.gaussian(codes),
        priors.mixture(codes, held_out, spec.components, seed % 2**32),
        priors.aggregated(components, spread, held_out, widths),
    ]
    logging.info("priors: %s", ", ".join(f"{p.name} {p.chosen or ''}".strip() for p in known))

    def bounds(
        sentences: SentenceSet, posterior: DiagonalNormal, width: float, numbers: Sequence[int]
    ) -> dict[str, dict[int, Tensor]]:
        proposal = posterior.widened(width * spread)
        return _importance(model, sentences, proposal, known, tuple(numbers), spec.batch)

    validation_bounds = {}
    for width in spec.widths:
        if not width and deterministic:
            continue
        of_prior = bounds(valid, of_valid, width, (spec.validation_samples,))
        best = max(float(values[spec.validation_samples][0].mean()) for values in of_prior.values())
        validation_bounds[width] = best
        logging.info("width %g: %.2f nats of %d validation sentences", width, -best, len(valid))
    width = max(validation_bounds, key=lambda width: validation_bounds[width])
    importance = {
        name: {str(number): _described(values, test) for number, values in by_number.items()}
        for name, by_number in bounds(test, of_test, width, spec.samples).items()
    }
    return {
        "importance": importance,
        "neighbours": _neighbours(model, test, of_test.loc, of_train.loc, spec, rng),
        "chosen": {"proposal_width": width} | {p.name: p.chosen for p in known if p.chosen is not None},
        "codes": {} if deterministic else describe(of_test),
    }


def _importance(
    model: SentenceModel,
    sentences: SentenceSet,
    proposal: DiagonalNormal,
    known: Sequence[CodePrior],
    numbers: tuple[int, ...],
    batch: int,
) -> dict[str, dict[int, Tensor]]:
    """By prior and number of codes, the bounds (2, N) of the words and of words and <eos>."""
    rows: dict[str, list[Tensor]] = {prior.name: [] for prior in known}
    for _ in range(max(numbers)):
        z, log_proposal = proposal.rsample_with_log_prob()
        words, end = (torch.from_numpy(values) for values in log_likelihood(model, sentences, z, batch))
        both = torch.stack([words, words + end]) - log_proposal.double()
        for prior in known:
            rows[prior.name].append(both + prior.log_prob(z))
    result = {}
    for name, weights in rows.items():
        stacked = torch.stack(weights)
        by_number = bounds_by_samples(stacked.flatten(1), numbers)
        result[name] = {number: values.view(2, -1) for number, values in by_number.items()}
    return result


def _neighbours(
    model: SentenceModel,
    test: SentenceSet,
    queries: Tensor,
    codes: Tensor,
    spec: MarginalSpec,
    rng: np.random.Generator,
) -> dict[str, dict[str, dict[str, float]]]:
    """By number of training codes (all, a quarter, a sixteenth), by number of neighbours."""
    order = torch.from_numpy(rng.permutation(len(codes)))
    result = {}
    for share in (1, 4, 16):
        some = codes[order[: len(codes) // share]]
        numbers = tuple(number for number in spec.neighbours if number <= len(some))
        if not numbers:
            continue
        index = nearest(queries, some, max(numbers))
        rows = []
        for place in range(max(numbers)):
            scores = log_likelihood(model, test, some[index[:, place]], spec.batch)
            words, end = (torch.from_numpy(values) for values in scores)
            rows.append(torch.cat([words, words + end]))
        by_number = bounds_by_neighbours(torch.stack(rows), len(some), numbers)
        result[str(len(some))] = {
            str(number): _described(values.view(2, -1), test) for number, values in by_number.items()
        }
    return result


def _described(bounds: Tensor, test: SentenceSet) -> dict[str, float]:
    """Summarise bounds (2, N) in nats as metrics; a perplexity that is not finite is left out."""
    words, both = (-values.numpy() for values in bounds)
    measures = {
        "nll": float(words.mean()),
        "nll_eos": float(both.mean()),
        "ppl": perplexity(words, test.lengths + 1),
        "ppl_per_word": perplexity(words, test.lengths),
    }
    return {name: value for name, value in measures.items() if np.isfinite(value)}


def main(options: argparse.Namespace) -> None:
    """Estimate what the command line names."""
    spec = parse(MarginalSpec, options.settings)
    device = devices.choose(options.gpus)
    run = load(options.run, options.data, device)
    seed_everything(f"{run.name}/likelihood", run.seed)
    train, valid, test = (data.load(options.data, split) for split in ("train", "valid", "test"))
    seed = derive(f"{run.name}/likelihood", run.seed)
    with autocast(device, choose_precision(spec.precision, device)):
        estimates = estimate(run.autoencoder, train, valid, test, spec, run.deterministic, seed)
    about: Mapping[str, Any] = {"run": run.name, "seed": run.seed, "settings": options.settings}
    write_json(options.out, {**about, **estimates})
    for name, by_number in estimates["importance"].items():
        number, values = list(by_number.items())[-1]
        logging.info("%s, K = %s: %.2f nats a sentence", name, number, values["nll"])


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="prepared data set of the training")
    arguments.add_argument("--run", type=Path, required=True, help="folder of textlvm.sentences.train")
    arguments.add_argument("--settings", type=cli.settings, required=True, help="settings of the estimates")
    arguments.add_argument("--out", type=Path, required=True, help="likelihood.json")
    devices.add_argument(arguments)
    cli.run(main, arguments)
