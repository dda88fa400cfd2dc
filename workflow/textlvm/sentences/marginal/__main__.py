"""Estimate the marginal likelihood of one trained run under priors independent of the test set.

    python -m textlvm.sentences.marginal --data ptb/data --run ptb/smim-512/seed0 --settings '{…}' \\
        --out ptb/smim-512/seed0/likelihood.json

DATA is the prepared data set of training. With `--member ptb/data`, the test sentences of a run trained on a
union are those of one of its data sets; the priors are fitted to codes of the whole union. Writes
OUT, a JSON object with

    importance       by prior and number of codes K: the importance-weighted bound
    neighbours       by number of training codes and number of neighbours: the bound by the nearest codes
    chosen           by prior, the hyperparameters chosen on validation sentences: noise of the proposal, and
                     number of components, number of steps, or width of the prior
    prior_samples    by prior, sentences decoded from codes drawn from it
    codes            mutual information, active units and KL by dimension

Bounds are negative log-likelihoods in nats per sentence, `nll` of the words and `nll_eos` of words and <eos>,
with perplexities per word (`ppl_per_word`) and with the published divisor, words + 1 (`ppl`). If a bound was
only computed for a part of the sentences, `nll_error` is its standard error.
"""

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.runtime import cli
from textlvm.runtime.files import write_json
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.evaluation.autoencoding import collect, encode, log_likelihood, sample_indices, subset
from textlvm.sentences.evaluation.generation import Writer
from textlvm.sentences.evaluation.likelihood import perplexity
from textlvm.sentences.marginal import priors, two_phase
from textlvm.sentences.marginal.axes import Axes, principal_axes, standard_axes
from textlvm.sentences.marginal.codes import describe
from textlvm.sentences.marginal.flow import masked_autoregressive_flow
from textlvm.sentences.marginal.importance import bounds_by_samples
from textlvm.sentences.marginal.nearest import bounds_by_neighbours, nearest
from textlvm.sentences.marginal.priors import CodePrior
from textlvm.sentences.marginal.proposals import conditional, encoder
from textlvm.sentences.marginal.spec import MarginalSpec
from textlvm.sentences.models.autoencoder import SentenceModel
from textlvm.sentences.trained import load
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training.precision import autocast
from textlvm.training.precision import choose as choose_precision
from textlvm.training.seeds import derive, seed_everything

__all__ = ["estimate"]

Indices = NDArray[np.int64]

SHARES = (1, 8)
"""The bound by neighbours is computed with all training codes, and with an eighth of them."""


@dataclass(frozen=True)
class Encoded:
    """Sentences and the Gaussians q(z|x) of their codes."""

    sentences: SentenceSet
    posterior: DiagonalNormal

    def select(self, index: Indices) -> "Encoded":
        """The sentences with these indices, in this order."""
        return Encoded(select(self.sentences, index), self.posterior[index])


def select(sentences: SentenceSet, index: Indices) -> SentenceSet:
    """The sentences with these indices, in this order."""
    return collect([sentences[i] for i in index])


def estimate(
    model: SentenceModel,
    train: SentenceSet,
    valid: SentenceSet,
    test: SentenceSet,
    spec: MarginalSpec,
    deterministic: bool,
    seed: int,
    write: Callable[[Tensor], list[str]],
) -> dict[str, Any]:
    """Estimate log p(x); returns the estimates that the entry point writes.

    `deterministic`: codes are the encoder's means (AE). `write` decodes codes (n, d) into n sentences.
    """
    rng = np.random.default_rng(seed)
    train = subset(train, spec.train_codes, rng)
    of_train, of_valid, of_test = (encode(model, part, spec.batch) for part in (train, valid, test))
    if deterministic:
        of_train, of_valid, of_test = (
            DiagonalNormal(of.loc, torch.full_like(of.loc, -np.inf)) for of in (of_train, of_valid, of_test)
        )
    codes, held_out = (
        of.loc if deterministic else of.rsample_with_log_prob()[0] for of in (of_train, of_valid)
    )
    standard, axes = standard_axes(codes.shape[1]), principal_axes(codes)
    # Components and proposals of width zero have no density.
    widths, noises = (
        [value for value in values if value or not deterministic]
        for values in (spec.prior_widths, spec.noises)
    )
    kept = of_train[rng.permutation(len(train))[: spec.prior_codes]]
    fitted = [
        priors.gaussian("gaussian", axes),
        priors.mixture(codes, held_out, axes, spec.components, seed % 2**32),
        masked_autoregressive_flow(codes, held_out, axes, spec.flow_steps),
        priors.aggregated(kept, held_out, axes, widths),
    ]
    logging.info("priors: %s", ", ".join(f"{p.name} {p.chosen or ''}".strip() for p in fitted))
    few = Encoded(valid, of_valid).select(sample_indices(len(valid), spec.validation_sentences, rng))
    part = sample_indices(len(test), spec.part, rng)
    whole = Encoded(test, of_test)
    chosen, importance = {}, {}
    normal = priors.gaussian("normal", standard)
    for prior_axes, group in ((standard, [normal]), (axes, fitted)):
        noise = _best_noise(model, few, noises, prior_axes, group, spec)
        common, rest = _split(spec.samples, spec.common)
        of_all, of_part = _importance(model, whole, noise, common, prior_axes, group, spec.batch), {}
        if rest:
            numbers = (common[-1], *rest)
            of_part = _importance(model, whole.select(part), noise, numbers, prior_axes, group, spec.batch)
        for prior in group:
            chosen[prior.name] = {"noise": noise} | ({} if prior.chosen is None else {"fit": prior.chosen})
            importance[prior.name] = _summarize(of_all[prior.name], of_part.get(prior.name, {}), test)
            last = list(importance[prior.name].items())[-1]
            logging.info("%s, K = %s: %.2f nats per sentence", prior.name, last[0], last[1]["nll"])
    return {
        "importance": importance,
        "neighbours": _neighbours(model, test, part, of_test.loc, of_train.loc, spec, rng),
        "chosen": chosen,
        "prior_samples": {
            prior.name: write(prior.sample(spec.sentences).float()) for prior in (normal, *fitted)
        },
        "codes": {} if deterministic else describe(of_test),
    }


def _best_noise(
    model: SentenceModel,
    sentences: Encoded,
    noises: Sequence[float],
    axes: Axes,
    group: Sequence[CodePrior],
    spec: MarginalSpec,
) -> float:
    """The noise of the proposal with which any prior of the group has the highest bound."""
    number, found = spec.validation_samples, {}
    for noise in noises:
        of_prior = _importance(model, sentences, noise, (number,), axes, group, spec.batch)
        found[noise] = max(float(values[number][0].mean()) for values in of_prior.values())
        name = group[0].name
        logging.info("%s, noise %g: %.2f nats on the validation sentences", name, noise, -found[noise])
    return max(found, key=found.__getitem__)


def _importance(
    model: SentenceModel,
    encoded: Encoded,
    noise: float,
    numbers: tuple[int, ...],
    axes: Axes,
    group: Sequence[CodePrior],
    batch: int,
) -> dict[str, dict[int, Tensor]]:
    """By prior and number of codes, the bounds (2, N) of the words and of words and <eos>.

    The proposal uses the mean and the covariance of the prior in `axes`, which all priors of a group share.
    """
    proposal = conditional(encoded.posterior.loc, axes, noise) if noise else encoder(encoded.posterior)
    rows: dict[str, list[Tensor]] = {prior.name: [] for prior in group}
    for _ in range(max(numbers)):
        z, log_proposal = proposal()
        both = _log_likelihood(model, encoded.sentences, z, batch) - log_proposal
        for prior in group:
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
    part: Indices,
    queries: Tensor,
    codes: Tensor,
    spec: MarginalSpec,
    rng: np.random.Generator,
) -> dict[str, dict[str, dict[str, float]]]:
    """By number of training codes and number of neighbours, the metrics of the bound."""
    order = torch.from_numpy(rng.permutation(len(codes)))

    def bounds(sentences: SentenceSet, index: Tensor, numbers: tuple[int, ...]) -> dict[int, Tensor]:
        scores = [
            _log_likelihood(model, sentences, subset_codes[index[:, rank]], spec.batch).flatten()
            for rank in range(numbers[-1])
        ]
        by_number = bounds_by_neighbours(torch.stack(scores), len(subset_codes), numbers)
        return {number: values.view(2, -1) for number, values in by_number.items()}

    result = {}
    for share in SHARES:
        subset_codes = codes[order[: len(codes) // share]]
        numbers = [number for number in spec.neighbours if number <= len(subset_codes)]
        if not numbers:
            continue
        common, rest = _split(numbers, spec.common)
        index = nearest(queries, subset_codes, max(numbers))
        of_part = bounds(select(test, part), index[part], (common[-1], *rest)) if rest else {}
        result[str(len(subset_codes))] = _summarize(bounds(test, index, common), of_part, test)
    return result


def _split(numbers: Sequence[int], common: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sort numbers and split them into those up to `common`, at least one, and the larger ones."""
    rising = sorted(numbers)
    count = max(1, sum(number <= common for number in rising))
    return tuple(rising[:count]), tuple(rising[count:])


def _log_likelihood(model: SentenceModel, sentences: SentenceSet, z: Tensor, batch: int) -> Tensor:
    """log p(x|z) of the words and of words and <eos>: (2, N), float64."""
    words, end = (torch.from_numpy(values) for values in log_likelihood(model, sentences, z.float(), batch))
    return torch.stack([words, words + end])


def _summarize(
    of_all: Mapping[int, Tensor], of_part: Mapping[int, Tensor], test: SentenceSet
) -> dict[str, dict[str, float]]:
    """The metrics of bounds (2, N) of all sentences and of a part of them, by number of codes."""
    means = {number: two_phase.mean_of_all(bounds) for number, bounds in of_all.items()}
    if of_part:
        common, *rest = of_part
        for number in rest:
            means[number] = two_phase.mean_with_part(of_all[common], of_part[common], of_part[number])
    return {str(number): _entry(mean, test) for number, mean in means.items()}


def _entry(mean: two_phase.Mean, test: SentenceSet) -> dict[str, float]:
    """The metrics of a bound, without infinite perplexities and without a standard error of zero."""
    words, both = (-mean.value).tolist()
    nll = np.array([words])
    measures = {
        "nll": words,
        "nll_eos": both,
        "ppl": perplexity(nll, test.lengths + 1),
        "ppl_per_word": perplexity(nll, test.lengths),
        "nll_error": float(mean.error[0]) or np.nan,
    }
    return {name: value for name, value in measures.items() if np.isfinite(value)}


def main(options: argparse.Namespace) -> None:
    """Estimate the marginal likelihood of the run on the command line."""
    spec = parse(MarginalSpec, options.settings)
    device = devices.choose(options.gpus)
    run = load(options.run, options.data, device)
    seed_everything(f"{run.name}/likelihood", run.seed)
    train = data.load(options.data, "train")
    valid, test = (data.load(options.data, split, options.member) for split in ("valid", "test"))
    seed = derive(f"{run.name}/likelihood", run.seed)
    write = Writer(run, "sample", spec.max_length).decode
    with autocast(device, choose_precision(spec.precision, device)):
        estimates = estimate(run.autoencoder, train, valid, test, spec, run.deterministic, seed, write)
    about: Mapping[str, Any] = {
        "run": run.name,
        "seed": run.seed,
        "objective": run.spec.objective,
        "settings": options.settings,
    }
    write_json(options.out, {**about, **estimates})


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="prepared data set of training")
    arguments.add_argument("--member", type=Path, help="data set of the union DATA for the estimates")
    arguments.add_argument("--run", type=Path, required=True, help="folder of textlvm.sentences.train")
    arguments.add_argument("--settings", type=cli.settings, required=True, help="settings of the estimates")
    arguments.add_argument("--out", type=Path, required=True, help="likelihood.json")
    devices.add_argument(arguments)
    cli.run(main, arguments)
